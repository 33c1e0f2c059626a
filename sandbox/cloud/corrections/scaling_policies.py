"""Scaling policies: named within their group, executed by hand or by what they track, and gone with the group."""

import math
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, FakeScalingPolicy
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

_put_policy = AutoScalingBackend.put_scaling_policy


def apply() -> None:
    AutoScalingBackend.put_scaling_policy = put_scaling_policy
    AutoScalingResponse.delete_policy = delete_policy
    AutoScalingResponse.execute_policy = execute_policy


def put_scaling_policy(self: Any, name: str, **asked: Any) -> FakeScalingPolicy:
    """A name is one of its group.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html
    """
    policy = _put_policy(self, name, **asked)
    self.policies[(asked["as_name"], name)] = self.policies.pop(name)
    return policy


def delete_policy(self: Any) -> EmptyResult:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeletePolicy.html"""
    for key in _keys_of(self):
        del self.autoscaling_backend.policies[key]
    return EmptyResult()


def execute_policy(self: Any) -> EmptyResult:
    """By a simple or a step policy, within the sizes.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExecutePolicy.html
    """
    for key in _keys_of(self):
        policy = self.autoscaling_backend.policies[key]
        group = self.autoscaling_backend.autoscaling_groups[key[0]]
        if policy.policy_type == "SimpleScaling":
            adjustment = policy.scaling_adjustment
        elif policy.policy_type == "StepScaling":
            value, threshold = self._get_param("MetricValue"), self._get_param("BreachThreshold")
            if value is None or threshold is None:
                raise ValidationError("MetricValue and BreachThreshold are required for StepScaling policies.")
            adjustment = _step(policy, float(value) - float(threshold))
        else:
            raise ValidationError(f"ExecutePolicy is not supported for {policy.policy_type} policies.")
        wanted = _adjusted(group, policy.adjustment_type, int(adjustment))
        group.set_desired_capacity(min(max(wanted, group.min_size), group.max_size))
    return EmptyResult()


def _step(policy: FakeScalingPolicy, distance: float) -> int:
    """Above the threshold the lower bound is part of a step, below it the upper bound.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
    """
    for step in policy.step_adjustments:
        low = float(step.get("MetricIntervalLowerBound", -math.inf))
        high = float(step.get("MetricIntervalUpperBound", math.inf))
        if (low <= distance < high) if distance >= 0 else (low < distance <= high):
            return int(step["ScalingAdjustment"])
    raise ValidationError("There is no step adjustment for this metric value.")


def _adjusted(group: FakeAutoScalingGroup, adjustment_type: str, adjustment: int) -> int:
    """A percentage is rounded towards zero, and is at least one instance.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
    """
    if adjustment_type == "ExactCapacity":
        return adjustment
    if adjustment_type == "PercentChangeInCapacity":
        change = group.desired_capacity * adjustment / 100
        adjustment = int(change) if abs(change) >= 1 else int(math.copysign(1, change)) if change != 0 else 0
    return int(group.desired_capacity) + adjustment


def _keys_of(response: Any) -> list[tuple[str, str]]:
    """The policy that a call names, by its name and its group's or by its ARN."""
    group, name = response._get_param("AutoScalingGroupName"), response._get_param("PolicyName")
    known = response.autoscaling_backend.policies
    return [key for key, policy in known.items() if name == policy.arn or (key[1] == name and group in (None, key[0]))]


def forget_policies_of(backend: Any, group_name: str) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html"""
    for key in [key for key in backend.policies if key[0] == group_name]:
        del backend.policies[key]
