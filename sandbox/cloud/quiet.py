"""Servers that hold new connections through their Elastic IP back, as `automation/quiet/quiet-move.sh` has them do it.

A server of the sandbox has no kernel of its own, so the script is not run: what it would do is modelled. Which connections an
instance has, the network says (`POST /sandbox/connections`), and it is the network that drops a SYN.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from cloud import lock, revision, timers

_TITLE = "# Keeps new connections from an Elastic IP that is about to leave this server"
_ADDRESSES = r"(?P<addresses>[\d.,]+)"
_ARGUMENTS = re.compile(
    rf"set -- (?P<mode>close|open) (?P<port>\d+) {_ADDRESSES}(?: [\d./,]+ (?P<seconds>\d+) (?P<timer>\d+))?"
)
# For so long, whatever is busy is awaited, in seconds.
_FIRST = 0.3

# Instance id -> the port, and what tells this time from an earlier one.
_closed: dict[str, tuple[int, object]] = {}
# Instance id -> the network's last word.
_reports: dict[str, dict[str, Any]] = {}


def arguments_of(document: str, parameters: dict[str, list[str]]) -> re.Match[str] | None:
    """The script's arguments; None where it is another command."""
    commands = parameters.get("commands", [])
    if document != "AWS-RunShellScript" or not any(line.startswith(_TITLE) for line in commands):
        return None
    return _ARGUMENTS.fullmatch(commands[0])


def run(instance: Any, arguments: re.Match[str], is_cancelled: Callable[[], bool]) -> tuple[int, str, str]:
    """@returns exit code, standard output and standard error"""
    if instance.private_ip not in arguments["addresses"].split(","):
        return 1, "", f"quiet-move: {arguments['addresses']} is not an address of this server\n"
    if arguments["mode"] == "open":
        with lock:
            _closed.pop(instance.id, None)
        revision.changed()
        return 0, "", ""
    began = time.monotonic()
    _close(instance.id, int(arguments["port"]), float(arguments["timer"]))
    pending: set[str] = set()
    while not is_cancelled():
        elapsed = time.monotonic() - began
        report = _reports.get(instance.id)
        is_over = elapsed >= float(arguments["seconds"])
        if report is not None:
            busy = set(report["busy"])
            pending = busy if elapsed < _FIRST else pending & busy
            if is_over or (elapsed >= _FIRST and not pending):
                counts = {"established": report["established"], "busy": len(busy), "milliseconds": round(elapsed * 1000)}
                return 0, json.dumps({"address": instance.private_ip, **counts}) + "\n", ""
        elif is_over:
            return 1, "", "quiet-move: ss cannot tell what is established\n"
        time.sleep(0.05)
    return -1, "", ""


def ports_of(instance_id: str) -> list[int]:
    """Ports on which new connections from outside are held back."""
    return [_closed[instance_id][0]] if instance_id in _closed else []


def report(reports: list[dict[str, Any]]) -> None:
    for each in reports:
        _reports[each["instanceId"]] = each


def reset() -> None:
    _closed.clear()
    _reports.clear()


def _close(instance_id: str, port: int, seconds: float) -> None:
    token = object()
    with lock:
        _closed[instance_id] = (port, token)
        _reports.pop(instance_id, None)

    def end() -> None:
        if _closed.get(instance_id, (0, None))[1] is token:
            del _closed[instance_id]

    timers.after(seconds, end)
    revision.changed()
