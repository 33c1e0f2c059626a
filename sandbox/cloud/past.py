"""Reads that are late: each Describe call may see the account as it was a while ago.

AWS's APIs are eventually consistent. What was just created may not be found yet, what was just changed may look as
before, and two calls, one after the other, may see this in the wrong order. Tags come later still than what they are on.
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html
"""

import random
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import is_
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend, ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.rds.models import rds_backends
from moto.utilities.tagging_service import TaggingService

import health
from settings import settings

SERVICES = ("ec2", "elasticloadbalancing", "autoscaling", "rds")
BACKENDS = (ec2_backends, elbv2_backends, autoscaling_backends, rds_backends)

# Calls that name what was just created, and are refused with one of these as long as it is not known everywhere. The
# plugin tries them again. Nothing comes after them that a trial in the past would leave behind.
NOT_FOUND_YET = {
    "AssociateAddress": ("InvalidAllocationID.NotFound", "InvalidInstanceID.NotFound"),
    "AssociateRouteTable": ("InvalidRouteTableID.NotFound",),
    "AttachInternetGateway": ("InvalidInternetGatewayID.NotFound",),
}

# Taking a picture may take this share of the time, so that a large account does not slow the cloud down.
SHARE = 0.05

# An object, and what it held: of a dict, a list, a set or an object of moto's.
Pictures = list[tuple[Any, Any]]


class Past:
    """Pictures of the account, each as it was right before a change."""

    def __init__(self) -> None:
        # When each was no longer true, the oldest first: everything but tags, and tags.
        self._frames: deque[tuple[float, Pictures, Pictures]] = deque()
        self._not_before = 0.0
        self.seed(settings.seed)

    def seed(self, number: int) -> None:
        """From here on the same calls are as late as after any other start with this seed."""
        self._random = random.Random(number)

    def clear(self) -> None:
        self._frames.clear()

    def changing(self) -> None:
        """Comes right before each change, under the cloud's lock."""
        now = time.monotonic()
        # Tags are twice as late.
        while self._frames and self._frames[0][0] < now - 2 * settings.staleReadSeconds:
            self._frames.popleft()
        if settings.staleReadSeconds <= 0 or now < self._not_before:
            return
        self._frames.append((now, *pictures()))
        self._not_before = time.monotonic() + (time.monotonic() - now) / SHARE

    @contextmanager
    def seen(self, service: str, access_key: str, parameters: dict[str, str]) -> Iterator[None]:
        """Shows the account as one call sees it."""
        undo: Pictures = []
        # The pages of one answer are of one moment.
        is_later_page = not {"NextToken", "Marker"}.isdisjoint(parameters)
        if service in SERVICES and access_key != settings.observerKey and not is_later_page:
            delay = self._delay()
            everything, tags = self._frame(delay), self._frame(delay + self._delay())
            undo = put(everything[1] if everything else [])
            # Of what is not there yet the tags are not there either.
            undo = put(tags[2] if tags else []) + undo
        try:
            yield
        finally:
            put(undo)

    @contextmanager
    def tried(self, access_key: str) -> Iterator[bool]:
        """The account as it was a while ago, for a call that changes it: what it does there is undone."""
        frame = None if access_key == settings.observerKey else self._frame(self._delay())
        if frame is None:
            yield False
            return
        now, tags = pictures()
        put(frame[1])
        try:
            yield True
        finally:
            put(now)
            put(tags)

    def is_hidden(self, created: datetime) -> bool:
        """Whether one call does not find what was created then."""
        return (utcnow() - created).total_seconds() < self._delay()

    def _delay(self) -> float:
        return self._random.random() * settings.staleReadSeconds

    def _frame(self, seconds: float) -> tuple[float, Pictures, Pictures] | None:
        """The one that was true that long ago; None where nothing has changed since."""
        then = time.monotonic() - seconds
        return next((frame for frame in self._frames if frame[0] > then), None)


def pictures() -> tuple[Pictures, Pictures]:
    """Everything but tags, and tags."""
    tags: list[Any] = []
    roots = [backend for accounts in BACKENDS for regions in accounts.values() for backend in regions.values()]
    return taken([*roots, health._reports], tags), taken(tags, [])


def taken(roots: list[Any], tags: list[Any]) -> Pictures:
    """What is reached from these, each once; tags are put aside."""
    seen: set[int] = set()
    result: Pictures = []
    waiting = list(roots)
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        inside = contents(each)
        if inside is None:
            waiting.extend(each if isinstance(each, tuple) else ())
            continue
        result.append((each, inside))
        if isinstance(each, (EC2Backend, TaggingService)):
            tags.append(inside["tags"])
            seen.add(id(inside["tags"]))
        waiting.extend(value for value in values(inside) if type(value) not in PLAIN)
    return result


PLAIN = (str, int, float, bool, bytes, type(None))


def contents(each: Any) -> Any:
    """A copy of what it holds; None of what holds nothing that could change."""
    if isinstance(each, dict):
        return dict(each)
    if isinstance(each, list):
        return list(each)
    if isinstance(each, set):
        return set(each)
    is_model = type(each).__module__.startswith("moto.") and hasattr(each, "__dict__")
    return dict(each.__dict__) if is_model else None


def values(inside: Any) -> Iterable[Any]:
    return inside.values() if isinstance(inside, dict) else inside


def put(entries: Pictures) -> Pictures:
    """Makes each what it was; returns how to undo that."""
    undo: Pictures = []
    for each, then in entries:
        now = each if isinstance(each, (dict, list, set)) else each.__dict__
        if is_same(now, then):
            continue
        undo.append((each, contents(each)))
        now.clear()
        if isinstance(now, list):
            now.extend(then)
        else:
            now.update(then)
    return undo


def is_same(now: Any, then: Any) -> bool:
    if len(now) != len(then):
        return False
    if isinstance(now, set):
        return now == then
    if isinstance(now, dict) and now.keys() != then.keys():
        return False
    return all(map(is_, values(now), values(then)))


past = Past()
