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

from cheroot.wsgi import Gateway_10, Server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

import control
import faults
from cloud import lock, revision
from corrections import tokens
from past import NOT_FOUND_YET, SERVICES, past

READ_ONLY = re.compile(r"^(Describe|Get|List|Query|Scan|BatchGet|TransactGet|FilterLogEvents|Lookup|Test|Decrypt)")

StartResponse = Callable[..., Any]


class Dropped(ConnectionError):
    """The call took effect, and its answer is lost."""


class Gateway(Gateway_10):
    """Sends an answer in one piece, or resets the connection where it gets lost on purpose."""

    def respond(self) -> None:
        connection = self.req.conn
        # AWS's SDK for Go may close its connection when it has the head of an answer, and miss what comes after that.
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        try:
            super().respond()
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        except Dropped:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(connection.socket.detach())
            connection.linger = True  # Nothing more is to be closed,
            self.req.sent_headers = self.req.close_connection = True  # and nothing to be said.


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
        dry_run = parameters.get("DryRun") == "true"
        if not dry_run:
            with self._counting:
                self.calls[access_key, f"{service}.{operation}"] += 1
        drop = False
        for fault in faults.active(operation, dry_run):
            answer = fault.strike(service, operation, start_response)
            if answer is faults.DROP:
                drop = True
            elif answer is not None:
                return answer
        with lock:
            if READ_ONLY.match(operation):
                with past.seen(service, access_key, parameters):
                    status, headers, body = self._answer(environ)
            else:
                status, headers, body = self._changed(environ, access_key, service, operation, parameters)
        if not READ_ONLY.match(operation):
            revision.changed()
        if drop:
            raise Dropped
        start_response(status, headers)
        return [body]

    def _changed(
        self, environ: dict[str, Any], access_key: str, service: str, operation: str, parameters: dict[str, str]
    ) -> tokens.Answer:
        if operation in NOT_FOUND_YET:
            with past.tried(access_key) as is_late:
                answer = self._answer(environ) if is_late else None
            environ["wsgi.input"].seek(0)
            if answer is not None and any(f"<Code>{code}<".encode() in answer[2] for code in NOT_FOUND_YET[operation]):
                return answer
        if service in SERVICES:
            past.changing()
        answer = tokens.known(operation, parameters) or self._answer(environ)
        tokens.remember(operation, parameters, answer)
        return answer

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
    # A caller's connections are kept, as AWS does. Long polls and answers that are late on purpose hold a thread each.
    server = Server((host, port), application, numthreads=32, request_queue_size=128, timeout=600)
    server.keep_alive_conn_limit = None
    server.gateway = Gateway
    server.prepare()
    print("ready", flush=True)
    server.serve()


def preload(application: Application) -> None:
    """moto imports a service at its first call; the first calls of a run shall be as fast as the others."""
    for service in ("ec2", "elbv2", "dynamodb", "cloudwatch", "kms"):
        application._aws.app_instances.setdefault(service, create_backend_app(service))
