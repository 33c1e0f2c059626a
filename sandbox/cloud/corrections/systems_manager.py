"""Systems Manager runs documents for real: a child process for each instance, with the instance's inputs as environment.
Only the script by which addresses move quietly is modelled, see quiet.py.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import ec2_backends
from moto.ssm.exceptions import SSMException
from moto.ssm.models import Command, SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse

import quiet
from cloud import lock
from inputs import inputs_of

# What is kept of an output, in characters:
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
STANDARD_OUTPUT = 24_000
STANDARD_ERROR = 8_000
# Of both together, where all instances are told of in one call:
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandPlugin.html
OUTPUT = 2_500

_send = SimpleSystemManagerBackend.send_command
_running: dict[int, dict[str, Any]] = {}
_modelled: list[dict[str, Any]] = []


def apply() -> None:
    SimpleSystemManagerBackend.send_command = send_command
    SimpleSystemManagerResponse.cancel_command = cancel_command
    SimpleSystemManagerResponse.describe_instance_information = describe_instance_information
    SimpleSystemManagerResponse.list_command_invocations = list_command_invocations


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
        if instance_id not in instances or not _is_managed(instances[instance_id]):
            raise SSMException("InvalidInstanceId", f"Instances not in a valid state for account: {instance_id}")
    script, seconds = _script_of(self, arguments["document_name"], arguments["parameters"])
    modelled = quiet.arguments_of(arguments["document_name"], arguments["parameters"])
    command = _send(self, **arguments)
    command.status = "InProgress"
    for invocation in command.invocations:
        invocation.update({"Status": "InProgress", "StatusDetails": "InProgress", "ResponseCode": -1})
        instance = instances[invocation["InstanceId"]]
        if modelled:
            threading.Thread(target=_model, args=(command, invocation, instance, modelled), daemon=True).start()
            continue
        environment = inputs_of(instance)
        threading.Thread(target=_run, args=(command, invocation, script, seconds, environment), daemon=True).start()
    return command


def describe_instance_information(self: Any) -> ActionResult:
    """Managed instances, by id where a filter names ids. One whose input SIMULATE has `no-agent` is none.
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
    """
    backend = ec2_backends[self.ssm_backend.account_id][self.ssm_backend.region_name]
    wanted = [set(each["Values"]) for each in self._get_param("Filters", []) if each["Key"] == "InstanceIds"]
    known = {"PingStatus": "Online", "PlatformType": "Linux", "ResourceType": "EC2Instance"}
    return ActionResult(
        {
            "InstanceInformationList": [
                {"InstanceId": each.id, "IPAddress": each.private_ip, **known}
                for each in backend.all_instances()
                if _is_managed(each) and all(each.id in ids for ids in wanted)
            ]
        }
    )


def list_command_invocations(self: Any) -> ActionResult:
    """Of one command, with what its one step said.
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html
    """
    command = self.ssm_backend.get_command_by_id(self._get_param("CommandId"))
    return ActionResult({"CommandInvocations": [_listed(each) for each in command.invocations]})


def _listed(invocation: dict[str, Any]) -> dict[str, Any]:
    out, err = (invocation.get(f"Standard{name}Content", "") for name in ("Output", "Error"))
    output = (out + (f"\n----------ERROR-------\n{err}" if err else ""))[:OUTPUT]
    known = {key: invocation[key] for key in ("CommandId", "InstanceId", "Status", "StatusDetails")}
    step = {"Name": "aws:runShellScript", "Status": known["Status"], "ResponseCode": invocation["ResponseCode"]}
    return {**known, "CommandPlugins": [{**step, "Output": output}]}


def _is_managed(instance: Any) -> bool:
    return instance.state == "running" and "no-agent" not in inputs_of(instance).get("SIMULATE", "").split(",")


def cancel_command(self: Any) -> EmptyResult:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html"""
    command = self.ssm_backend.get_command_by_id(self._get_param("CommandId"))
    wanted = self._get_param("InstanceIds", []) or command.instance_ids
    for group, invocation in list(_running.items()):
        if invocation["CommandId"] == command.command_id and invocation["InstanceId"] in wanted:
            invocation["StatusDetails"] = "Cancelled"
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
    for invocation in _modelled:
        if invocation["CommandId"] == command.command_id and invocation["InstanceId"] in wanted:
            invocation["StatusDetails"] = "Cancelled"
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
        # A process that a signal ended has 128 and the signal's number, as a shell says it.
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        _end(command, invocation, status, code, _beginning(out, STANDARD_OUTPUT), _beginning(err, STANDARD_ERROR))


def _model(command: Command, invocation: dict[str, Any], instance: Any, arguments: re.Match[str]) -> None:
    _modelled.append(invocation)
    try:
        code, out, err = quiet.run(instance, arguments, lambda: invocation["StatusDetails"] == "Cancelled")
    finally:
        _modelled.remove(invocation)
    _end(command, invocation, "Success" if code == 0 else "Failed", code, out, err)


def _end(command: Command, invocation: dict[str, Any], status: str, code: int, out: str, err: str) -> None:
    with lock:
        if invocation["StatusDetails"] == "Cancelled":
            status = "Cancelled"
        content = {"StandardOutputContent": out, "StandardErrorContent": err}
        invocation.update({"Status": status, "StatusDetails": status, "ResponseCode": code, **content})
        states = {each["Status"] for each in command.invocations}
        if "InProgress" not in states:
            command.status = "Success" if states == {"Success"} else "Failed"


def _beginning(file: Any, characters: int) -> str:
    file.seek(0)
    return file.read(4 * characters).decode(errors="replace")[:characters]
