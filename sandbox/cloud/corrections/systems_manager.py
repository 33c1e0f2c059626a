"""Systems Manager runs documents for real: a child process for each instance, with the instance's inputs as environment."""

import os
import re
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import Any

from moto.core.responses import EmptyResult
from moto.ec2.models import ec2_backends
from moto.ssm.exceptions import SSMException
from moto.ssm.models import Command, SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse

from cloud import lock
from inputs import inputs_of

# What is kept of an output, in characters:
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
STANDARD_OUTPUT = 24_000
STANDARD_ERROR = 8_000

_send = SimpleSystemManagerBackend.send_command
_running: dict[int, dict[str, Any]] = {}


def apply() -> None:
    SimpleSystemManagerBackend.send_command = send_command
    SimpleSystemManagerResponse.cancel_command = cancel_command


def stop() -> None:
    """Ends what runs: nothing of the sandbox is left when the cloud ends."""
    for group in list(_running):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def send_command(self: Any, **arguments: Any) -> Command:
    """Only to instances that run. Pending until the process ends.
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
    """
    instances = {each.id: each for each in ec2_backends[self.account_id][self.region_name].all_instances()}
    for instance_id in arguments["instance_ids"]:
        if instance_id not in instances or instances[instance_id].state != "running":
            raise SSMException("InvalidInstanceId", f"Instances not in a valid state for account: {instance_id}")
    script, seconds = _script_of(self, arguments["document_name"], arguments["parameters"])
    command = _send(self, **arguments)
    command.status = "InProgress"
    for invocation in command.invocations:
        invocation.update({"Status": "InProgress", "StatusDetails": "InProgress", "ResponseCode": -1})
        environment = inputs_of(instances[invocation["InstanceId"]])
        threading.Thread(target=_run, args=(command, invocation, script, seconds, environment), daemon=True).start()
    return command


def cancel_command(self: Any) -> EmptyResult:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html"""
    command = self.ssm_backend.get_command_by_id(self._get_param("CommandId"))
    wanted = self._get_param("InstanceIds", []) or command.instance_ids
    for group, invocation in list(_running.items()):
        if invocation["CommandId"] == command.command_id and invocation["InstanceId"] in wanted:
            invocation["StatusDetails"] = "Cancelled"
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
    return EmptyResult()


def _script_of(backend: Any, name: str, parameters: dict[str, list[str]]) -> tuple[str, float]:
    """The lines that a document runs, and for how many seconds: AWS-RunShellScript, or aws:runShellScript steps of one's
    own document. https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html
    """
    if name == "AWS-RunShellScript":
        unknown = set(parameters) - {"commands", "workingDirectory", "executionTimeout"}
        if unknown or not parameters.get("commands"):
            raise SSMException("InvalidParameters", f"AWS-RunShellScript takes commands, not {sorted(unknown)}")
        directory = parameters.get("workingDirectory", [""])[0]
        lines = ([f"cd '{directory}'"] if directory else []) + parameters["commands"]
        return "\n".join(lines), float(parameters.get("executionTimeout", ["3600"])[0])
    content = backend._get_documents(name).get_default_version().content_json
    values = {key: each.get("default", "") for key, each in content.get("parameters", {}).items()} | parameters
    lines = [
        _filled(line, values)
        for step in content.get("mainSteps", [])
        if step.get("action") == "aws:runShellScript"
        for line in step["inputs"]["runCommand"]
    ]
    return "\n".join(lines), 3600


def _filled(line: str, values: dict[str, Any]) -> str:
    def value_of(match: re.Match[str]) -> str:
        value = values[match.group(1)]
        return "\n".join(value) if isinstance(value, list) else str(value)

    return re.sub(r"{{\s*(\w+)\s*}}", value_of, line)


def _run(
    command: Command, invocation: dict[str, Any], script: str, seconds: float, environment: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script],
            cwd=directory,
            env={"PATH": os.environ["PATH"], **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        _running[process.pid] = invocation
        try:
            status = "Success" if process.wait(seconds) == 0 else "Failed"
        except subprocess.TimeoutExpired:
            status = "TimedOut"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        finally:
            _running.pop(process.pid, None)
        with lock:
            if invocation["StatusDetails"] == "Cancelled":
                status = "Cancelled"
            invocation.update(
                {
                    "Status": status,
                    "StatusDetails": status,
                    # A process that a signal ended has 128 and the signal's number, as a shell says it.
                    "ResponseCode": process.returncode if process.returncode >= 0 else 128 - process.returncode,
                    "StandardOutputContent": _beginning(out, STANDARD_OUTPUT),
                    "StandardErrorContent": _beginning(err, STANDARD_ERROR),
                }
            )
            states = {each["Status"] for each in command.invocations}
            if "InProgress" not in states:
                command.status = "Success" if states == {"Success"} else "Failed"


def _beginning(file: Any, characters: int) -> str:
    file.seek(0)
    return file.read(4 * characters).decode(errors="replace")[:characters]
