"""Scheduled actions: named within their group, done when their time comes, and gone with the group.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from dateutil.parser import isoparse
from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeScheduledAction

from cloud import timers
from corrections.array_instances import is_suspended

_put = AutoScalingBackend.put_scheduled_update_group_action


def apply() -> None:
    AutoScalingBackend.put_scheduled_update_group_action = put
    AutoScalingBackend.delete_scheduled_action = delete


def put(self: Any, name: str, scheduled_action_name: str, **asked: Any) -> FakeScheduledAction:
    """A name is one of its group; an action of this name is replaced. One that recurs tells its next time.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html
    """
    action = _put(self, name=name, scheduled_action_name=scheduled_action_name, **asked)
    key = (name, scheduled_action_name)
    del self.scheduled_actions[scheduled_action_name]
    action.start_time, action.end_time = _time(action.start_time), _time(action.end_time)
    if action.recurrence and action.start_time is None:
        action.start_time = _next(action)
    self.scheduled_actions[key] = action
    _wait(self, key, action)
    return action


def delete(self: Any, auto_scaling_group_name: str, scheduled_action_name: str) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteScheduledAction.html"""
    if self.scheduled_actions.pop((auto_scaling_group_name, scheduled_action_name), None) is None:
        raise ValidationError("Scheduled action name not found")


def forget_all_of(backend: Any, group_name: str) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html"""
    for key in [key for key in backend.scheduled_actions if key[0] == group_name]:
        del backend.scheduled_actions[key]


def _wait(backend: Any, key: tuple[str, str], action: FakeScheduledAction) -> None:
    if action.start_time is None:
        return

    def comes() -> None:
        if backend.scheduled_actions.get(key) is not action:
            return
        _act(backend, action)
        action.start_time = _next(action) if action.recurrence else None
        if action.start_time is None or (action.end_time is not None and action.start_time > action.end_time):
            del backend.scheduled_actions[key]
        else:
            _wait(backend, key, action)

    timers.after(max(0.001, (action.start_time - datetime.now(UTC)).total_seconds()), comes)


def _act(backend: Any, action: FakeScheduledAction) -> None:
    """Applies the action. One that falls due while the process is suspended is skipped for good.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html
    """
    group = backend.autoscaling_groups.get(action.auto_scaling_group_name)
    if group is None or is_suspended(group, "ScheduledActions"):
        return
    group.min_size = group.min_size if action.min_size is None else action.min_size
    group.max_size = group.max_size if action.max_size is None else action.max_size
    desired = group.desired_capacity if action.desired_capacity is None else action.desired_capacity
    group.set_desired_capacity(min(max(desired, group.min_size), group.max_size))


def _next(action: FakeScheduledAction) -> datetime:
    """Five fields, as crontab has them: where both days are given, either will do.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html
    """
    try:
        if len(action.recurrence.split()) != 5:
            raise ValueError("it has not five fields")
        now = datetime.now(ZoneInfo(action.time_zone or "UTC"))
        return croniter(action.recurrence, now).get_next(datetime).astimezone(UTC)
    except (ValueError, KeyError) as error:
        raise ValidationError(f"Given recurrence string: {action.recurrence} is invalid: {error}") from error


def _time(value: Any) -> datetime | None:
    if not value:
        return None
    time = isoparse(value) if isinstance(value, str) else value
    return time if time.tzinfo else time.replace(tzinfo=UTC)
