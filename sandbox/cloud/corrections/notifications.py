"""Notifications of groups to topics, which moto does not have. None is sent."""

from typing import Any

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult


def apply() -> None:
    AutoScalingResponse.put_notification_configuration = put
    AutoScalingResponse.describe_notification_configurations = describe


def put(self: Any) -> ActionResult:
    """Replaces what the group told the topic before.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutNotificationConfiguration.html
    """
    group, topic = self._get_param("AutoScalingGroupName"), self._get_param("TopicARN")
    _all(self)[(group, topic)] = self._get_param("NotificationTypes", [])
    return EmptyResult()


def describe(self: Any) -> ActionResult:
    """One entry for each type, of the groups that are there.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeNotificationConfigurations.html
    """
    asked = self._get_param("AutoScalingGroupNames", [])
    there = self.autoscaling_backend.autoscaling_groups
    found = [
        {"AutoScalingGroupName": group, "TopicARN": topic, "NotificationType": each}
        for (group, topic), types in _all(self).items()
        if group in there and (not asked or group in asked)
        for each in types
    ]
    return ActionResult({"NotificationConfigurations": found})


def _all(self: Any) -> dict[tuple[str, str], list[str]]:
    return self.autoscaling_backend.__dict__.setdefault("notifications", {})
