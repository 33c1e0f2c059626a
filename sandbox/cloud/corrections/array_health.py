"""Health of an array's instances: who is unhealthy, and who is replaced."""

import time
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

import health
from cloud import timers
from corrections.array_instances import exists, forget, is_suspended, reconcile, retire, target_groups
from settings import settings

ENDED = ("shutting-down", "terminated", "stopping", "stopped")


def apply() -> None:
    AutoScalingResponse.set_instance_health = set_instance_health


def check_all() -> None:
    for backends in autoscaling_backends.values():
        for backend in backends.values():
            for group in list(backend.autoscaling_groups.values()):
                check(group)


def check(group: FakeAutoScalingGroup) -> None:
    """Marks as unhealthy what does not run and, with health checks of the load balancer, what that finds unhealthy
    once the grace period is over. https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
    """
    if not is_suspended(group, "HealthCheck"):
        for state in group.instance_states:
            if state.lifecycle_state in ("Pending", "InService") and state.instance.state in ENDED:
                state.health_status = "Unhealthy"
            elif state.lifecycle_state == "InService" and _load_balancer_finds_unhealthy(group, state):
                left = grace_left(group, state)
                if left <= 0:
                    state.health_status = "Unhealthy"
                else:
                    timers.after(left, lambda: check(group) if exists(group) else None)
    replace(group)


def replace(group: FakeAutoScalingGroup) -> None:
    """Terminates what is unhealthy, unless that is suspended, and launches as many, unless that is.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html
    """
    if is_suspended(group, "ReplaceUnhealthy") or is_suspended(group, "Terminate") or group.status is not None:
        return
    unhealthy = [
        each
        for each in group.instance_states
        if each.health_status == "Unhealthy" and each.lifecycle_state in ("Pending", "InService")
    ]
    for state in unhealthy:
        if state.instance.state in ("shutting-down", "terminated"):
            forget(group, state)
        else:
            retire(group, state, "an instance was taken out of service in response to a health check failure")
    if unhealthy:
        reconcile(group)


def set_instance_health(self: Any) -> EmptyResult:
    """A verdict of somebody else's, whatever the health checks say.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceHealth.html
    """
    instance_id, status = self._get_param("InstanceId"), self._get_param("HealthStatus")
    for group in self.autoscaling_backend.autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance.id == instance_id:
                if self._get_bool_param("ShouldRespectGracePeriod", True) and grace_left(group, state) > 0:
                    return EmptyResult()
                state.health_status = status
                replace(group)
                return EmptyResult()
    raise ValidationError(f"No managed instance found for instance ID: {instance_id}")


def grace_left(group: FakeAutoScalingGroup, state: InstanceState) -> float:
    """In seconds.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-check-grace-period.html
    """
    grace = float(group.health_check_grace_period or 0) / 60 * settings.scalingMinuteSeconds
    return state.in_service_since + grace - time.monotonic()


def _load_balancer_finds_unhealthy(group: FakeAutoScalingGroup, state: InstanceState) -> bool:
    if group.health_check_type != "ELB":
        return False
    return any(
        state.instance.id in each.targets and health.reported(each.arn, state.instance.id)[0] == "unhealthy"
        for each in target_groups(group)
    )
