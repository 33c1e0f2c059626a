"""Scaling policies and scheduled actions: named within their group, and gone with it."""

from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeScalingPolicy, FakeScheduledAction
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

_put_policy = AutoScalingBackend.put_scaling_policy
_put_action = AutoScalingBackend.put_scheduled_update_group_action


def apply() -> None:
    AutoScalingBackend.put_scaling_policy = put_scaling_policy
    AutoScalingBackend.put_scheduled_update_group_action = put_scheduled_action
    AutoScalingBackend.delete_scheduled_action = delete_scheduled_action
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
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ExecutePolicy.html"""
    for key in _keys_of(self):
        self.autoscaling_backend.policies[key].execute()
    return EmptyResult()


def _keys_of(response: Any) -> list[tuple[str, str]]:
    """The policy that a call names, by its name and its group's or by its ARN."""
    group, name = response._get_param("AutoScalingGroupName"), response._get_param("PolicyName")
    known = response.autoscaling_backend.policies
    return [key for key, policy in known.items() if name == policy.arn or (key[1] == name and group in (None, key[0]))]


def put_scheduled_action(self: Any, name: str, scheduled_action_name: str, **asked: Any) -> FakeScheduledAction:
    """A name is one of its group.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html
    """
    action = _put_action(self, name=name, scheduled_action_name=scheduled_action_name, **asked)
    self.scheduled_actions[(name, scheduled_action_name)] = self.scheduled_actions.pop(scheduled_action_name)
    return action


def delete_scheduled_action(self: Any, auto_scaling_group_name: str, scheduled_action_name: str) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteScheduledAction.html"""
    if self.scheduled_actions.pop((auto_scaling_group_name, scheduled_action_name), None) is None:
        raise ValidationError("Scheduled action name not found")


def forget_all_of(backend: Any, group_name: str) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html"""
    for known in (backend.policies, backend.scheduled_actions):
        for key in [key for key in known if key[0] == group_name]:
            del known[key]
