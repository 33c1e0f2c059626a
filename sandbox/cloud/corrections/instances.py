"""Instances: they boot, have status checks, stop and terminate in their time, and can be changed."""

import copy
import math
import random
import re
import time
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.core.responses import ActionResult, EmptyResult
from moto.core.types import Base64EncodedString
from moto.core.utils import camelcase_to_underscores, utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidInstanceIdError, InvalidSecurityGroupNotFoundError
from moto.ec2.models.instances import Instance, InstanceBackend, InstanceState, MetadataOptions, StateReason
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.monitoring import Monitoring
from moto.ec2.utils import parse_user_data

from cloud import timers
from corrections.addresses import release_all_of
from corrections.array_instances import instance_runs as array_instance_runs
from corrections.public_addresses import assign
from corrections.target_groups import instance_ends
from inputs import inputs_of
from settings import settings

_start = Instance.start
_stop = Instance.stop
_random = random.Random(settings.seed)


def apply() -> None:
    Instance.__del__ = lambda self: None
    Instance.security_groups = property(security_groups, lambda self, groups: setattr(self, "_launched_with", groups))
    Instance.terminate = terminate
    Instance.release = release
    Instance.start = start
    Instance.stop = stop
    Instance.reboot = lambda self: None
    Instance.instance_status = property(instance_status)
    Instance.system_status = property(system_status)
    InstanceBackend.get_instance = get_instance
    InstanceBackend.get_instance_by_id = get_instance_by_id
    InstanceBackend.modify_instance_attribute = modify_instance_attribute
    InstanceBackend.modify_instance_metadata_options = modify_instance_metadata_options
    InstanceBackend.modify_instance_security_groups = modify_instance_security_groups
    InstanceResponse.describe_instance_credit_specifications = describe_credit
    InstanceResponse.modify_instance_credit_specification = modify_credit
    InstanceResponse.modify_instance_attribute = modify_attribute
    Monitoring.monitor_instances = lambda self: monitor(self, "enabled")
    Monitoring.unmonitor_instances = lambda self: monitor(self, "disabled")


class IncorrectInstanceState(EC2ClientError):
    code = "IncorrectInstanceState"

    def __init__(self, instance_id: str) -> None:
        super().__init__(self.code, f"The instance '{instance_id}' is not in the 'stopped' state.")


def security_groups(instance: Instance) -> list[Any]:
    """Those of the primary interface, however they were changed.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    interfaces = getattr(instance, "nics", {})
    return list(interfaces[0]._group_set) if 0 in interfaces else instance._launched_with


def boot(instance: Instance) -> None:
    """`pending`, then `running`; status checks take a while more.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
    """

    def runs() -> None:
        if instance.state == "pending":
            set_state(instance, "running", 16)
            instance.runs_since = time.monotonic()
            instance.first_check = settings.statusCheckSeconds * (1 + _random.random())
            assign(instance.nics[0])
            array_instance_runs(instance)

    set_state(instance, "pending", 0)
    timers.after(settings.bootSeconds, runs)


def instance_status(instance: Instance) -> dict[str, Any]:
    """Its operating system can be reached, unless the input SIMULATE has `impaired-after=SECONDS`, or the settings name it."""
    if instance.id in settings.impairedInstances:
        return status_of(instance, 0)
    simulated = re.search(r"impaired-after=([\d.]+)", inputs_of(instance).get("SIMULATE", ""))
    return status_of(instance, float(simulated[1]) if simulated else math.inf)


def system_status(instance: Instance) -> dict[str, Any]:
    return status_of(instance, math.inf)


def status_of(instance: Instance, impaired_after: float) -> dict[str, Any]:
    """Instances are checked once a minute, each at a moment of its own, so that what a check finds is told late;
    `initializing` comes first.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
    """
    if instance.state not in ("running", "pending"):
        return {"Status": "not-applicable"}
    found = last_check(instance)
    if found is None:
        reachability, status = "initializing", "initializing"
    elif found < impaired_after:
        reachability, status = "passed", "ok"
    else:
        reachability, status = "failed", "impaired"
    return {"Details": [{"Name": "reachability", "Status": reachability}], "Status": status}


def last_check(instance: Instance) -> float | None:
    """How long it had been running then, in seconds."""
    if instance.state != "running":
        return None
    runs = time.monotonic() - instance.runs_since
    since_first = runs - instance.first_check
    if since_first < 0:
        return None
    return runs - (since_first % settings.statusCheckSeconds if settings.statusCheckSeconds > 0 else 0)


def terminate(self: Instance) -> InstanceState:
    """`shutting-down`, then `terminated`; its Elastic IPs are free at once, its private addresses, interfaces and
    volumes when it is terminated. Terminating twice is no error.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
    """
    previous = copy.copy(self._state)
    if self.state in ("shutting-down", "terminated"):
        return previous
    release_all_of(self.ec2_backend, self)
    instance_ends(self)
    for interface in self.nics.values():
        interface.stop()
    set_state(self, "shutting-down", 32)
    self._reason = f"User initiated ({utcnow():%Y-%m-%d %H:%M:%S} GMT)"
    self.state_reason = StateReason(
        "Client.UserInitiatedShutdown: User initiated shutdown", "Client.UserInitiatedShutdown"
    )

    def terminated() -> None:
        self.release()
        set_state(self, "terminated", 48)

    timers.after(settings.shutdownSeconds, terminated)
    return previous


def release(self: Instance) -> None:
    """Deletes the volumes that belong to the instance; the others become available."""
    for interface in self.nics.values():
        if interface.delete_on_termination and interface.id in self.ec2_backend.enis:
            interface.delete()
        elif interface.instance is self:
            interface.instance = None
            interface.attachment_id = None
            interface.status = "available"
    self.teardown_defaults()
    self.ec2_backend.iam_instance_profile_associations.pop(self.id, None)


def stop(self: Instance) -> InstanceState:
    """`stopping`, then `stopped`; stopping twice is no error.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html
    """
    previous = copy.copy(self._state)
    if self.state in ("stopping", "stopped"):
        return previous
    _stop(self)
    set_state(self, "stopping", 64)
    autoscaling_backends[self.ec2_backend.account_id][self.ec2_backend.region_name].notify_terminate_instances([self.id])

    def stopped() -> None:
        if self.state == "stopping":
            set_state(self, "stopped", 80)

    timers.after(settings.shutdownSeconds, stopped)
    return previous


def start(self: Instance) -> InstanceState:
    """`pending`, then `running`; only a stopped instance boots.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html
    """
    previous = copy.copy(self._state)
    if self.state in ("pending", "running"):
        return previous
    if self.state != "stopped":
        raise IncorrectInstanceState(self.id)
    _start(self)
    boot(self)
    return previous


def get_instance_by_id(self: Any, instance_id: str) -> Instance | None:
    """As moto's, without a copy of every reservation."""
    for reservation in self.reservations.values():
        for instance in reservation.instances:
            if instance.id == instance_id:
                return instance
    return None


def get_instance(self: Any, instance_id: str) -> Instance:
    instance = get_instance_by_id(self, instance_id)
    if instance is None:
        raise InvalidInstanceIdError(instance_id)
    return instance


# Attributes of ModifyInstanceAttribute, as the API names them: those of a stopped instance only, and the others.
WHEN_STOPPED = ("InstanceType", "UserData", "Kernel", "Ramdisk", "EbsOptimized")
AT_ANY_TIME = ("DisableApiTermination", "DisableApiStop", "InstanceInitiatedShutdownBehavior", "SourceDestCheck")


def modify_attribute(self: Any) -> Any:
    """One attribute per call; type and user data only of a stopped instance.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
    """
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    named = self._get_param("Attribute")
    for attribute in (*WHEN_STOPPED, *AT_ANY_TIME):
        value = self._get_param(f"{attribute}.Value")
        if value is None and named is not None and named.lower() == attribute.lower():
            value = self._get_param("Value")
        if value is not None:
            change(instance, attribute, value)
            return EmptyResult()
    if self._get_param("Groups"):
        self.ec2_backend.modify_instance_security_groups(instance.id, self._get_param("Groups"))
    self._block_device_mapping_handler()
    return EmptyResult()


def change(instance: Instance, attribute: str, value: Any) -> None:
    if attribute in WHEN_STOPPED and instance.state != "stopped":
        raise IncorrectInstanceState(instance.id)
    if attribute in ("DisableApiTermination", "DisableApiStop", "SourceDestCheck", "EbsOptimized"):
        value = str(value).lower() == "true"
    if attribute == "UserData":
        value = Base64EncodedString.from_raw_bytes(value) if isinstance(value, bytes) else parse_user_data(value)
    if attribute == "SourceDestCheck":
        for interface in instance.nics.values():
            interface.source_dest_check = value
    setattr(instance, camelcase_to_underscores(attribute), value)


def modify_instance_attribute(self: Any, instance_id: str, key: str, value: Any) -> Instance:
    instance = self.get_instance(instance_id)
    setattr(instance, key, value)
    return instance


def modify_instance_metadata_options(
    self: Any,
    instance_id: str,
    http_tokens: str | None = None,
    hop_limit: int | None = None,
    http_endpoint: str | None = None,
    dry_run: bool | None = False,
    http_protocol: str | None = None,
    metadata_tags: str | None = None,
) -> MetadataOptions:
    """Keeps whatever the call leaves out.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html
    """
    options = self.get_instance(instance_id).metadata_options
    options.http_tokens = http_tokens or options.http_tokens
    options.http_put_response_hop_limit = hop_limit or options.http_put_response_hop_limit
    options.http_endpoint = http_endpoint or options.http_endpoint
    options.http_protocol_ipv6 = http_protocol or options.http_protocol_ipv6
    options.instance_metadata_tags = metadata_tags or options.instance_metadata_tags
    return options


def modify_instance_security_groups(self: Any, instance_id: str, new_group_id_list: list[str]) -> Instance:
    """The groups of an instance are those of its primary interface.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
    """
    instance = self.get_instance(instance_id)
    groups = [self.get_security_group_from_id(group_id) for group_id in new_group_id_list]
    if None in groups:
        raise InvalidSecurityGroupNotFoundError(new_group_id_list[groups.index(None)])
    instance.nics[0]._group_set = list(groups)
    return instance


def describe_credit(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceCreditSpecifications.html"""
    instances = self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds", []))
    specifications = [{"InstanceId": each.id, "CpuCredits": getattr(each, "credit", "standard")} for each in instances]
    return ActionResult({"InstanceCreditSpecifications": specifications})


def modify_credit(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceCreditSpecification.html"""
    changed = self._get_param("InstanceCreditSpecifications", [])
    for each in changed:
        self.ec2_backend.get_instance(each["InstanceId"]).credit = each["CpuCredits"]
    successful = [{"InstanceId": each["InstanceId"]} for each in changed]
    return ActionResult({"SuccessfulInstanceCreditSpecifications": successful})


def monitor(self: Any, state: str) -> ActionResult:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_MonitorInstances.html"""
    instances = self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds", []))
    for instance in instances:
        instance.monitoring_state = state
    return ActionResult(
        {"InstanceMonitorings": [{"InstanceId": each.id, "Monitoring": {"State": state}} for each in instances]}
    )


def set_state(instance: Instance, name: str, code: int) -> None:
    instance._state.name = name
    instance._state.code = code
