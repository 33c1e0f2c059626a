"""The HTTP server: AWS calls go to moto, `/sandbox/` to the control API."""

import io
import os
import re
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_plus

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

import control
import faults
from cloud import lock, revision

READ_ONLY = re.compile(r"^(Describe|Get|List|Query|Scan|BatchGet|TransactGet|FilterLogEvents|Lookup|Test)")

StartResponse = Callable[..., Any]


class Handler(MotoRequestHandler):
    """Keeps connections open, and logs nothing: the AWS calls are counted, and errors reach the caller."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error":
            print(message % args, flush=True)


class Application:
    def __init__(self) -> None:
        self._aws = DomainDispatcherApplication(create_backend_app)
        self.calls: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/sandbox/"):
            return control.handle(self, environ, start_response)
        service, operation = operation_of(environ)
        self.calls[f"{service}.{operation}"] += 1
        drop = False
        for fault in faults.active(operation):
            answer = fault.strike(service, operation, start_response)
            if answer is faults.DROP:
                drop = True
            elif answer is not None:
                return answer
        with lock:
            body = [b"".join(self._aws(environ, start_response))]
        if not READ_ONLY.match(operation):
            revision.changed()
        if drop:
            reset(environ["werkzeug.socket"])
        return body


def operation_of(environ: dict[str, Any]) -> tuple[str, str]:
    """Service and operation of an AWS call, from its signature, its target header or its form."""
    match = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    service = match.group(1) if match else "unknown"
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return service, target.rsplit(".", 1)[-1]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    action = re.search(rb"(?:^|&)Action=([^&]+)", body)
    return service, unquote_plus(action.group(1).decode()) if action else "unknown"


def reset(connection: socket.socket) -> None:
    """The caller sees its connection reset, and cannot know whether the call took effect: it did."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise ConnectionError("dropped on purpose")


def serve(host: str, port: int) -> None:
    application = Application()
    preload(application)
    server = make_server(host, port, application, threaded=True, request_handler=Handler)
    server.daemon_threads = True
    print("ready", flush=True)
    try:
        server.serve_forever()
    finally:
        os.unlink(os.environ["MOTO_AMIS_PATH"])


def preload(application: Application) -> None:
    """moto imports a service at its first call; the first calls shall be as fast as the others."""
    for service in ("ec2", "elbv2", "autoscaling", "dynamodb", "rds", "cloudwatch", "logs", "ssm", "sts", "iam", "kms"):
        application._aws.app_instances.setdefault(service, create_backend_app(service))
