"""Listeners and their rules."""

from typing import Any

from moto.elbv2.exceptions import ValidationError
from moto.elbv2.models import ELBv2Backend, FakeAction

_validate = ELBv2Backend._validate_actions


def apply() -> None:
    ELBv2Backend._validate_actions = validate_actions


def validate_actions(self: Any, actions: list[FakeAction]) -> None:
    """A target group's weight is 0 to 999.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html
    """
    for action in actions:
        for group in (action.data.get("ForwardConfig") or {}).get("TargetGroups") or []:
            weight = int(group.get("Weight", 1))
            if not 0 <= weight <= 999:
                raise ValidationError(f"The weight '{weight}' is not valid; it must be between 0 and 999")
    _validate(self, actions)
