"""The control API, for the sandbox's own services only. See sandbox/README.md."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_api._internal import moto_api_backend

import faults
import health
import metrics
import quiet
import state
from cloud import lock, revision, timers
from corrections import array_health, tokens
from past import past
from settings import settings

Answer = tuple[int, Any]


def handle(application: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    route = (environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/sandbox/"))
    try:
        status, content = _answer(application, route, environ)
    except (ValueError, KeyError, TypeError) as error:
        status, content = 400, {"error": str(error)}
    body = b"" if content is None else json.dumps(content).encode()
    text = {200: "200 OK", 204: "204 No Content", 400: "400 Bad Request", 404: "404 Not Found"}[status]
    start_response(text, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _answer(application: Any, route: tuple[str, str], environ: dict[str, Any]) -> Answer:
    match route:
        case ("GET", "state"):
            return _state(parse_qs(environ.get("QUERY_STRING", "")))
        case ("POST", "target-health"):
            with lock:
                past.changing()
                health.report(_body(environ))
                array_health.check_all()
            return 200, {}
        case ("POST", "metrics"):
            with lock:
                metrics.publish(_body(environ))
            return 200, {}
        case ("POST", "connections"):
            quiet.report(_body(environ))
            return 200, {}
        case ("GET", "calls"):
            return 200, _calls(application.calls, parse_qs(environ.get("QUERY_STRING", "")))
        case ("POST", "settings"):
            values = _body(environ)
            settings.change(values)
            if "seed" in values:
                faults.seed(settings.seed)
                past.seed(settings.seed)
            return 200, settings.as_dict()
        case ("POST", "faults"):
            return 200, faults.add(_body(environ))
        case ("GET", "faults"):
            return 200, faults.listing()
        case ("DELETE", "faults"):
            return 200, faults.clear()
        case ("POST", "reset"):
            with lock:
                timers.clear()
                moto_api_backend.reset()
                health.reset()
                quiet.reset()
                tokens.reset()
                past.clear()
                application.calls.clear()
            revision.changed()
            return 200, {}
    return 404, {"error": f"no such call: {route[0]} /sandbox/{route[1]}"}


def _calls(calls: Counter[tuple[str, str]], query: dict[str, list[str]]) -> dict[str, int]:
    """Counts the calls of each operation; with `accessKey`, those made with that key."""
    total: Counter[str] = Counter()
    for (access_key, call), count in list(calls.items()):
        if access_key in query.get("accessKey", [access_key]):
            total[call] += count
    return dict(total)


def _state(query: dict[str, list[str]]) -> Answer:
    after = int(query.get("after", ["0"])[0])
    if not revision.wait_above(after, float(query.get("waitSeconds", ["0"])[0])):
        return 204, None
    number = revision.number
    with lock:
        return 200, {"revision": number, **state.snapshot()}


def _body(environ: dict[str, Any]) -> Any:
    return json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
