"""Listeners and their rules."""

from typing import Any

from moto.elbv2.exceptions import DuplicateListenerError, ELBClientError, ValidationError
from moto.elbv2.models import ELBv2Backend, FakeAction, FakeListener, FakeRule

_validate = ELBv2Backend._validate_actions
_create = ELBv2Backend.create_listener
_modify = ELBv2Backend.modify_listener
_describe_rules = ELBv2Backend.describe_rules


def apply() -> None:
    ELBv2Backend._validate_actions = validate_actions
    ELBv2Backend.create_listener = create_listener
    ELBv2Backend.modify_listener = modify_listener
    ELBv2Backend.describe_rules = describe_rules


def validate_actions(self: Any, actions: list[FakeAction]) -> None:
    """A target group's weight is 0 to 999, and a rule forwards to five groups at most.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    """
    for action in actions:
        groups = (action.data.get("ForwardConfig") or {}).get("TargetGroups") or []
        if len(groups) > 5:
            raise ELBClientError("TooManyTargetGroups", "The maximum number of target groups on an action is 5")
        for group in groups:
            weight = int(group.get("Weight", 1))
            if not 0 <= weight <= 999:
                raise ValidationError(f"The weight '{weight}' is not valid; it must be between 0 and 999")
    _validate(self, actions)


def create_listener(self: Any, load_balancer_arn: str, protocol: str, port: Any, *args: Any, **kwargs: Any) -> Any:
    """A port has one listener; the same listener created again is the one that is there.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
    """
    settings = repr((load_balancer_arn, protocol, port, args, kwargs))
    balancer = self.load_balancers.get(load_balancer_arn)
    for listener in balancer.listeners.values() if balancer else ():
        if int(listener.port) == int(port):
            if listener.settings == settings:
                return listener
            raise DuplicateListenerError()
    listener = _create(self, load_balancer_arn, protocol, port, *args, **kwargs)
    listener.settings = settings
    return listener


def modify_listener(
    self: Any,
    arn: str,
    port: Any = None,
    protocol: str | None = None,
    ssl_policy: str | None = None,
    certificates: list[dict[str, Any]] | None = None,
    actions: list[dict[str, Any]] | None = None,
) -> FakeListener:
    """New actions are held to the same rules as those of a new listener, and another listener keeps its port. A new
    certificate is the listener's own, and those beside it stay.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html
    """
    self._validate_actions([FakeAction(action) for action in actions or []])
    listener = self.describe_listeners(None, [arn])[0]
    others = [
        each for each in self.load_balancers[listener.load_balancer_arn].listeners.values() if each is not listener
    ]
    if port is not None and any(int(other.port) == int(port) for other in others):
        raise DuplicateListenerError()
    beside = listener.certificates[1:]
    modified = _modify(self, arn, port, protocol, ssl_policy, certificates, actions)
    own = modified.certificates[:1]
    modified.certificates = own + [each for each in beside if each not in own]
    return modified


def describe_rules(self: Any, listener_arn: str | None, rule_arns: list[str] | None) -> list[FakeRule]:
    """By priority, the default rule last.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
    """
    rules = _describe_rules(self, listener_arn, rule_arns)
    return sorted(rules, key=lambda rule: (rule.is_default, 0 if rule.is_default else int(rule.priority)))
