"""Target tracking on the load balancer's request count per target.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html

A minute of autoscaling lasts a second here, and so often the load balancer's nodes report.
"""

import math
import time
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, FakeScalingPolicy, autoscaling_backends

from cloud import revision
from corrections.array_instances import is_suspended, working
from settings import settings

# How many minutes in a row an alarm waits for.
OUT_MINUTES = 3
IN_MINUTES = 15
# An alarm for scaling in has a threshold this far below the target.
IN_SHARE = 0.9
# The group's default cooldown, in seconds.
DEFAULT_WARMUP = 300


def observe(target_group_arn: str, requests_per_minute: float) -> None:
    """Takes a minute's average for each healthy target. A minute without requests is not told, and scales nothing."""
    for backends in autoscaling_backends.values():
        for backend in backends.values():
            for group in list(backend.autoscaling_groups.values()):
                policies = [policy for key, policy in backend.policies.items() if key[0] == group.name]
                tracking = [each for each in policies if each.target_tracking_configuration is not None]
                if any(_tracks(each, target_group_arn) for each in tracking):
                    _observe(group, tracking, target_group_arn, requests_per_minute)


def _observe(
    group: FakeAutoScalingGroup, policies: list[FakeScalingPolicy], target_group_arn: str, value: float
) -> None:
    """Out as soon as one policy asks for it, and in only when all do.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scale-based-on-demand.html#multiple-scaling-policy-resolution
    """
    wanted = group.desired_capacity
    for policy in policies:
        if _tracks(policy, target_group_arn):
            _count(policy, value)
            if policy.minutes_above >= OUT_MINUTES:
                wanted = max(wanted, math.ceil(len(_warm(group, policy)) * value / _target(policy)))
    if wanted == group.desired_capacity and all(_may_scale_in(group, each) for each in policies):
        wanted -= 1
    wanted = min(max(wanted, group.min_size), group.max_size)
    if wanted != group.desired_capacity and not is_suspended(group, "AlarmNotification"):
        group.set_desired_capacity(wanted)
        revision.changed()


def _count(policy: Any, value: float) -> None:
    policy.last_value = value
    policy.minutes_above = getattr(policy, "minutes_above", 0) + 1 if value > _target(policy) else 0
    policy.minutes_below = getattr(policy, "minutes_below", 0) + 1 if value < IN_SHARE * _target(policy) else 0


def _may_scale_in(group: FakeAutoScalingGroup, policy: Any) -> bool:
    """One by one, never so far that it would scale out again, and not while an instance warms up."""
    configuration = policy.target_tracking_configuration
    if str(getattr(configuration, "DisableScaleIn", False)).lower() == "true" or group.desired_capacity < 2:
        return False
    if getattr(policy, "minutes_below", 0) < IN_MINUTES or len(_warm(group, policy)) < len(working(group)):
        return False
    return policy.last_value * group.desired_capacity / (group.desired_capacity - 1) <= _target(policy)


def _warm(group: FakeAutoScalingGroup, policy: FakeScalingPolicy) -> list[Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html"""
    warmup = policy.estimated_instance_warmup
    minutes = float(DEFAULT_WARMUP if warmup is None else warmup) / 60
    warm_since = time.monotonic() - minutes * settings.scalingMinuteSeconds
    return [
        each
        for each in working(group)
        if each.lifecycle_state == "InService" and each.in_service_since <= warm_since
    ]


def _tracks(policy: Any, target_group_arn: str) -> bool:
    specification = getattr(policy.target_tracking_configuration, "PredefinedMetricSpecification", None) or {}
    if specification.get("PredefinedMetricType") != "ALBRequestCountPerTarget":
        return False
    return bool(specification.get("ResourceLabel", "").endswith(target_group_arn.split(":")[-1]))


def _target(policy: Any) -> float:
    return float(policy.target_tracking_configuration.TargetValue)
