"""The HTTP server: AWS calls go to moto, `/sandbox/` to the control API."""

import io
import os
import re
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

import control
import faults
from cloud import lock, revision
from corrections import tokens

READ_ONLY = re.compile(r"^(Describe|Get|List|Query|Scan|BatchGet|TransactGet|FilterLogEvents|Lookup|Test)")

StartResponse = Callable[..., Any]


class Dropped(ConnectionError):
    """The call took effect, and its answer is lost."""


class Handler(MotoRequestHandler):
    """Keeps connections open, and logs nothing: the AWS calls are counted, and errors reach the caller."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """A drop on purpose: the caller sees its connection reset, and cannot know whether the call took effect."""
        self.close_connection = True
        if isinstance(error, Dropped):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())  # close() would wait for the handler's own readers and writers

    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error":
            print(message % args, flush=True)


class Application:
    def __init__(self) -> None:
        self._aws = DomainDispatcherApplication(create_backend_app)
        # By access key and `service.Operation`.
        self.calls: Counter[tuple[str, str]] = Counter()
        self._counting = Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/sandbox/"):
            return control.handle(self, environ, start_response)
        access_key, service, operation, parameters = call_of(environ)
        with self._counting:
            self.calls[access_key, f"{service}.{operation}"] += 1
        drop = False
        for fault in faults.active(operation):
            answer = fault.strike(service, operation, start_response)
            if answer is faults.DROP:
                drop = True
            elif answer is not None:
                return answer
        with lock:
            status, headers, body = tokens.known(operation, parameters) or self._answer(environ)
            tokens.remember(operation, parameters, (status, headers, body))
        if not READ_ONLY.match(operation):
            revision.changed()
        if drop:
            raise Dropped
        start_response(status, headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tokens.Answer:
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self._aws(environ, lambda status, headers, *_: started.append((status, headers))))
        return *started[0], body


def call_of(environ: dict[str, Any]) -> tuple[str, str, str, dict[str, str]]:
    """Access key, service, operation and form of an AWS call, from its signature, its target header and its body."""
    match = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    access_key, service = match.groups() if match else ("unknown", "unknown")
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return access_key, service, target.rsplit(".", 1)[-1], {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    form = dict(parse_qsl(body.decode(errors="replace")))
    return access_key, service, form.get("Action", "unknown"), form


def serve(host: str, port: int) -> None:
    application = Application()
    preload(application)
    server = make_server(host, port, application, threaded=True, request_handler=Handler)
    server.daemon_threads = True
    print("ready", flush=True)
    server.serve_forever()


def preload(application: Application) -> None:
    """moto imports a service at its first call; the first calls of a run shall be as fast as the others."""
    for service in ("ec2", "elbv2", "dynamodb", "cloudwatch"):
        application._aws.app_instances.setdefault(service, create_backend_app(service))
