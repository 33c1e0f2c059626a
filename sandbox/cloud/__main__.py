"""The sandbox's cloud: `python sandbox/cloud --host 127.64.0.1 --port 4566 --config settings.json`."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description="moto with the corrections that the runbook needs")
parser.add_argument("--host", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--config", type=Path)
arguments = parser.parse_args()

if not arguments.host.startswith("127."):
    sys.exit("--host: the cloud listens on loopback addresses only")

from settings import settings  # noqa: E402

if arguments.config:
    settings.change(json.loads(arguments.config.read_text()))

import images  # noqa: E402

images.write_catalogue()

import lean  # noqa: E402

lean.import_moto()
images.remove_catalogue()

import corrections  # noqa: E402
from server import serve  # noqa: E402

corrections.apply()


def end(*_: object) -> None:
    """At once: nobody waits for connections or long polls."""
    corrections.systems_manager.stop()
    os._exit(0)


signal.signal(signal.SIGTERM, end)
serve(arguments.host, arguments.port)
