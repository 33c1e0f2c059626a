"""Faults on demand: throttling, credentials that have expired or may not ask, errors, latency, no capacity, answers that get lost."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from settings import settings

# The call takes effect, and its answer is lost.
DROP: list[bytes] = []

KINDS = ("throttle", "expired", "error", "latency", "capacity", "drop", "denied")
OPTIONS = ("kind", "rate", "operation", "times", "status", "milliseconds", "seconds")
CAPACITY_OPERATIONS = ("RunInstances", "StartInstances")
# Their answers are JSON.
JSON_SERVICES = ("dynamodb", "kms", "logs", "monitoring", "ssm")

_lock = threading.Lock()
_faults: list["Fault"] = []
_ids = itertools.count(1)
_random = random.Random(settings.seed)


@dataclass
class Fault:
    kind: str
    # Share of the calls that it strikes.
    rate: float = 1.0
    # The one operation that it strikes; None: all.
    operation: str | None = None
    # How many calls it strikes; None: any number.
    times: int | None = None
    # Of `error`: 500 or 503.
    status: int = 500
    # Of `latency`.
    milliseconds: float = 300
    # How long it lasts; None: until it is cleared.
    seconds: float | None = None
    id: int = field(default_factory=lambda: next(_ids))
    struck: int = 0
    since: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        if self.times is not None and self.struck >= self.times:
            return True
        return self.seconds is not None and time.monotonic() - self.since > self.seconds

    def applies(self, operation: str, dry_run: bool) -> bool:
        """A dry run is not the call that a fault of an operation is meant for: it takes no effect and asks for no capacity.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
        """
        if self.is_over() or (dry_run and (self.operation is not None or self.kind in ("capacity", "drop"))):
            return False
        if self.operation not in (None, operation):
            return False
        if self.kind == "capacity" and operation not in CAPACITY_OPERATIONS:
            return False
        if _random.random() >= self.rate:
            return False
        self.struck += 1
        return True

    def strike(self, service: str, operation: str, start_response: Callable[..., Any]) -> list[bytes] | None:
        """An answer in place of the call's own; None: the call goes on."""
        if self.kind == "latency":
            time.sleep(self.milliseconds / 1000)
            return None
        if self.kind == "drop":
            return DROP
        if self.kind == "capacity":
            message = "We currently do not have sufficient capacity in the Availability Zone you requested."
            return _error(service, 500, "InsufficientInstanceCapacity", message, start_response)
        if self.kind == "throttle":
            return _error(service, *_throttle(service), start_response)
        if self.kind == "expired":
            return _error(service, *_expired(service), start_response)
        if self.kind == "denied":
            return _error(service, *_denied(service), start_response)
        code = "InternalError" if self.status == 500 else "Unavailable"
        return _error(service, self.status, code, "An error on purpose", start_response)


def add(values: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - set(OPTIONS))
    if unknown or "kind" not in values:
        wrong = ", ".join(unknown) or "nothing"
        raise ValueError(f"a fault has a kind and, if wanted, {', '.join(OPTIONS[1:])}; not {wrong}")
    fault = Fault(**values)
    if fault.kind not in KINDS:
        raise ValueError(f"kind: {fault.kind} is not one of {', '.join(KINDS)}")
    if not 0 < fault.rate <= 1:
        raise ValueError("rate: must be above 0 and not above 1")
    if fault.status not in (500, 503):
        raise ValueError("status: must be 500 or 503")
    if fault.times is not None and fault.times < 1:
        raise ValueError("times: must be 1 or more")
    if fault.milliseconds < 0 or (fault.seconds is not None and fault.seconds <= 0):
        raise ValueError("milliseconds and seconds: must be positive")
    with _lock:
        _faults.append(fault)
    return asdict(fault)


def listing() -> list[dict[str, Any]]:
    with _lock:
        _faults[:] = [fault for fault in _faults if not fault.is_over()]
        return [asdict(fault) for fault in _faults]


def seed(number: int) -> None:
    """From here on the same calls are struck as after any other start with this seed."""
    with _lock:
        _random.seed(number)


def clear() -> dict[str, int]:
    with _lock:
        count = len(_faults)
        _faults.clear()
    return {"cleared": count}


def active(operation: str, dry_run: bool = False) -> list[Fault]:
    with _lock:
        return [fault for fault in _faults if fault.applies(operation, dry_run)]


def _throttle(service: str) -> tuple[int, str, str]:
    """https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html and each service's common errors."""
    if service == "ec2":
        return 503, "RequestLimitExceeded", "Request limit exceeded."
    if service in ("dynamodb", "kms"):
        return 400, "ThrottlingException", "Rate of requests exceeds the allowed throughput."
    return 400, "Throttling", "Rate exceeded"


def _expired(service: str) -> tuple[int, str, str]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and each service's common errors."""
    if service == "ec2":
        return 400, "RequestExpired", "Request has expired."
    code = "ExpiredTokenException" if service in JSON_SERVICES else "ExpiredToken"
    return 403 if code == "ExpiredToken" else 400, code, "The security token included in the request is expired"


def _denied(service: str) -> tuple[int, str, str]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and each service's common errors."""
    message = "You are not authorized to perform this operation."
    if service == "ec2":
        return 403, "UnauthorizedOperation", message
    return (400, "AccessDeniedException", message) if service in JSON_SERVICES else (403, "AccessDenied", message)


def _error(service: str, status: int, code: str, message: str, start_response: Callable[..., Any]) -> list[bytes]:
    if service in JSON_SERVICES:
        body = f'{{"__type": "{code}", "message": "{message}"}}'.encode()
        kind = "application/x-amz-json-1.0"
    elif service == "ec2":
        text = f"<Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
        body = f"<Response>{text}<RequestID>on-purpose</RequestID></Response>".encode()
        kind = "text/xml"
    else:
        text = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        body = f"<ErrorResponse>{text}<RequestId>on-purpose</RequestId></ErrorResponse>".encode()
        kind = "text/xml"
    start_response(f"{status} {code}", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
