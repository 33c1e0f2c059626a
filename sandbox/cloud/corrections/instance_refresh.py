"""Instance refreshes: an array's instances are replaced batch by batch from the template that the group has.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
"""

import math
import time
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from cloud import timers
from corrections.array_instances import exists, is_suspended, reconcile, retire
from settings import settings

# How often a refresh looks whether it can go on, in seconds.
LOOK_SECONDS = 0.1


def apply() -> None:
    AutoScalingResponse.start_instance_refresh = start
    AutoScalingResponse.describe_instance_refreshes = describe
    AutoScalingResponse.cancel_instance_refresh = cancel


def start(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html"""
    group = _group(self)
    if self._get_param("DesiredConfiguration"):
        raise ValidationError("The sandbox refreshes from the group's own template: give no DesiredConfiguration.")
    if _active(group):
        raise AutoscalingClientError(
            "InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks the execution."
        )
    preferences = {"MinHealthyPercentage": 90, "SkipMatching": False, **(self._get_param("Preferences") or {})}
    old = [each for each in group.instance_states if each.lifecycle_state in ("Pending", "InService")]
    if str(preferences["SkipMatching"]).lower() == "true":
        version = str(group.ec2_launch_template.get_version(group.launch_template_version).number)
        old = [each for each in old if each.launch_template["Version"] != version]
    refresh = {
        "InstanceRefreshId": str(mock_random.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "Pending",
        "StartTime": utcnow(),
        "PercentageComplete": 0,
        "InstancesToUpdate": len(old),
        "Preferences": preferences,
    }
    group.refreshes = [refresh, *getattr(group, "refreshes", [])]
    timers.after(LOOK_SECONDS, lambda: _go_on(group, refresh, old))
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


def describe(self: Any) -> ActionResult:
    """The latest first.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeInstanceRefreshes.html
    """
    wanted = self._get_param("InstanceRefreshIds") or []
    refreshes = getattr(_group(self), "refreshes", [])
    return ActionResult(
        {"InstanceRefreshes": [each for each in refreshes if not wanted or each["InstanceRefreshId"] in wanted]}
    )


def cancel(self: Any) -> ActionResult:
    """Ends the refresh; instances that it has replaced stay replaced.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CancelInstanceRefresh.html
    """
    active = _active(_group(self))
    if not active:
        raise AutoscalingClientError("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found.")
    active[0]["Status"] = "Cancelling"
    return ActionResult({"InstanceRefreshId": active[0]["InstanceRefreshId"]})


def _go_on(group: FakeAutoScalingGroup, refresh: dict[str, Any], old: list[InstanceState]) -> None:
    """Replaces a batch when the one before is in service and warm; nothing while a process that it needs is suspended.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html
    """
    if not exists(group):
        return
    if refresh["Status"] == "Cancelling":
        refresh.update(Status="Cancelled", EndTime=utcnow())
        return
    refresh["Status"] = "InProgress"
    left = [each for each in old if any(each is known for known in group.instance_states)]
    refresh["InstancesToUpdate"] = len(left)
    refresh["PercentageComplete"] = 100 if not old else 100 * (len(old) - len(left)) // len(old)
    if _settled(group, refresh, old):
        if not left:
            refresh.update(Status="Successful", EndTime=utcnow())
            return
        if not any(is_suspended(group, process) for process in ("InstanceRefresh", "Launch", "Terminate")):
            unhealthy = 1 - float(refresh["Preferences"]["MinHealthyPercentage"]) / 100
            for state in left[: max(1, math.floor(group.desired_capacity * unhealthy))]:
                retire(group, state, "an instance was taken out of service in response to an instance refresh")
            reconcile(group)
    timers.after(LOOK_SECONDS, lambda: _go_on(group, refresh, old))


def _settled(group: FakeAutoScalingGroup, refresh: dict[str, Any], old: list[InstanceState]) -> bool:
    asked = refresh["Preferences"].get("InstanceWarmup")
    warmup = float(group.health_check_grace_period if asked is None else asked) / 60 * settings.scalingMinuteSeconds
    return len(group.instance_states) >= group.desired_capacity and all(
        each.lifecycle_state in ("InService", "Standby")
        and (each in old or time.monotonic() - each.in_service_since >= warmup)
        for each in group.instance_states
    )


def _active(group: FakeAutoScalingGroup) -> list[dict[str, Any]]:
    known = getattr(group, "refreshes", [])
    return [each for each in known if each["Status"] in ("Pending", "InProgress", "Cancelling")]


def _group(response: Any) -> FakeAutoScalingGroup:
    group = response.autoscaling_backend.autoscaling_groups.get(response._get_param("AutoScalingGroupName"))
    if group is None:
        raise ValidationError("AutoScalingGroup name not found - null")
    return group
