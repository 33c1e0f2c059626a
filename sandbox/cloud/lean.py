"""Imports moto in half the time and two thirds of the memory."""

from collections.abc import Iterator
from typing import Any

import botocore.session
from moto.core import utils as core
from moto.core.serialize import XFormedAttributePicker
from moto.utilities import utils

_load = utils.load_resource
_importing = True


class Offerings:
    """Which instance types the locations of a region offer. moto reads 100,000 at its import; here it is when asked."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._offerings: list[dict[str, str]] | None = None

    def __iter__(self) -> Iterator[dict[str, str]]:
        if _importing:
            return iter(())
        if self._offerings is None:
            kind = self._resource.split("/")[-2]
            self._offerings = [{**each, "LocationType": kind} for each in _load(self._resource)]
        return iter(self._offerings)


def import_moto() -> None:
    """Comes before anything else that imports moto's EC2."""
    global _importing
    # Every session reads botocore's list of regions again, and moto makes several. A service's model, too, is read
    # once to list its regions, and once to read its calls: 14 MB for EC2's.
    loader = core.create_loader()
    botocore.session.create_loader = lambda *_: loader
    core.create_loader = lambda: loader
    utils.load_resource = lambda name: Offerings(name) if "instance_type_offerings" in name else _load(name)
    try:
        import moto.ec2.models  # noqa: F401
    finally:
        utils.load_resource = _load
        _importing = False
    remember_names()


def remember_names() -> None:
    """Under which names an object may have a member of a response depends on its class and the member's shape only."""
    find = XFormedAttributePicker.get_possible_keys
    # With the shape itself, so that its id stays its own.
    known: dict[tuple[type, int, str], tuple[Any, tuple[str, ...]]] = {}

    def get_possible_keys(self: Any, context: Any) -> tuple[str, ...]:
        place = (type(context.obj), id(context.shape), context.key)
        if place not in known:
            known[place] = (context.shape, tuple(dict.fromkeys(find(self, context))))
        return known[place][1]

    XFormedAttributePicker.get_possible_keys = get_possible_keys
