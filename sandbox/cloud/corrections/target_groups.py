"""Target groups: registration, health and draining."""

from typing import Any

from moto.ec2.models.instances import Instance
from moto.elbv2.exceptions import InvalidTargetError, TargetNotRunning, ValidationError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup, elbv2_backends

import health
from cloud import timers

DELAY = "deregistration_delay.timeout_seconds"

_init = FakeTargetGroup.__init__
_create = ELBv2Backend.create_target_group
_modify_attributes = ELBv2Backend.modify_target_group_attributes

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
DEFAULT_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}


def apply() -> None:
    FakeTargetGroup.__init__ = init
    FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, lambda self, value: None)
    ELBv2Backend.create_target_group = create_target_group
    ELBv2Backend.modify_target_group_attributes = modify_target_group_attributes
    FakeTargetGroup.register = register
    FakeTargetGroup.deregister = deregister
    FakeTargetGroup.deregister_terminated_instances = deregister_terminated_instances
    FakeTargetGroup.health_for = health_for
    ELBv2Backend.describe_target_health = describe_target_health


def init(self: FakeTargetGroup, *args: Any, **kwargs: Any) -> None:
    _init(self, *args, **kwargs)
    if self.protocol in ("HTTP", "HTTPS"):
        self.attributes = dict(DEFAULT_ATTRIBUTES)
    # Deregistered targets until their delay is over.
    self.draining: dict[str, dict[str, Any]] = {}
    # How often a target was registered: a timer of an earlier draining must not end a later one.
    self.registrations: dict[str, int] = {}


def create_target_group(self: Any, name: str, **kwargs: Any) -> FakeTargetGroup:
    """The same group created again is the one that is there; the name with other settings is an error.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    """
    asked = repr(sorted(kwargs.items()))
    for known in self.target_groups.values():
        if known.name == name and known.asked == asked:
            return known
    group = _create(self, name, **kwargs)
    group.asked = asked
    return group


def modify_target_group_attributes(self: Any, target_group_arn: str, attributes: dict[str, Any]) -> None:
    """The delay is 0 to 3600 seconds, a slow start 0 or 30 to 900.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    """
    slow = int(attributes.get("slow_start.duration_seconds") or 0)
    if slow and not 30 <= slow <= 900:
        raise ValidationError("'slow_start.duration_seconds' must be 0 or between 30 and 900")
    delay = attributes.get("deregistration_delay.timeout_seconds")
    _modify_attributes(self, target_group_arn, {**attributes, **({} if delay != "3600" else {DELAY: "3599"})})
    self.target_groups[target_group_arn].attributes.update(attributes)


def load_balancer_arns(group: FakeTargetGroup) -> list[str]:
    """The load balancers of which a rule names the group now.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html
    """
    backend = elbv2_backends[group.account_id][group.region_name]
    return [
        balancer.arn
        for balancer in backend.load_balancers.values()
        if any(
            group.arn in backend._get_target_group_arns_from(action_data=action.data)
            for listener in balancer.listeners.values()
            for rule in listener.rules.values()
            for action in rule.actions
            if action.type == "forward"
        )
    ]


def register(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """Only running instances of the group's VPC; one that is registered again while it drains is back.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
    """
    for target in targets:
        if self.target_type == "instance":
            instance = self.ec2_backend.get_instance_by_id(target["Id"])
            if instance is None or instance.state in ("shutting-down", "terminated"):
                raise InvalidTargetError(f"The following targets are not valid instances: '{target['Id']}'")
            if instance.state != "running":
                raise TargetNotRunning(instance_id=target["Id"])
            if instance.vpc_id != self.vpc_id:
                raise InvalidTargetError(
                    f"The following targets are not in the target group VPC '{self.vpc_id}': {instance.id}"
                )
    for target in targets:
        if target["Id"] in self.targets:
            continue
        self.draining.pop(target["Id"], None)
        self.registrations[target["Id"]] = self.registrations.get(target["Id"], 0) + 1
        self.targets[target["Id"]] = {"Id": target["Id"], "Port": target.get("Port", self.port)}
        health.forget(self.arn, target["Id"])


def deregister(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """`draining` for the whole delay, and then gone; deregistering what is not registered is no error.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    """
    delay = int(self.attributes["deregistration_delay.timeout_seconds"])
    for target in targets:
        known = self.targets.pop(target["Id"], None)
        if known is None:
            continue
        self.draining[target["Id"]] = known
        registration = self.registrations[target["Id"]]

        def over(target_id: str = target["Id"], registration: int = registration) -> None:
            if self.registrations.get(target_id) == registration:
                self.draining.pop(target_id, None)

        timers.after(delay, over)


def instance_ends(instance: Instance) -> None:
    """A terminated instance is deregistered, and drains, whoever terminated it.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html
    """
    backend = elbv2_backends[instance.ec2_backend.account_id][instance.ec2_backend.region_name]
    for group in backend.target_groups.values():
        deregister_terminated_instances(group, [instance.id])


def deregister_terminated_instances(self: FakeTargetGroup, instance_ids: list[str]) -> None:
    """A terminated instance is deregistered, and drains.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html
    """
    deregister(self, [{"Id": each} for each in instance_ids if each in self.targets])


def describe_target_health(self: Any, target_group_arn: str, targets: list[dict[str, Any]]) -> list[FakeHealthStatus]:
    group = self.describe_target_groups(None, [target_group_arn], None)[0]
    asked = targets or [*group.targets.values(), *group.draining.values()]
    return [group.health_for(target, self.ec2_backend) for target in asked]


def health_for(self: FakeTargetGroup, target: dict[str, Any], ec2_backend: Any) -> FakeHealthStatus:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html"""
    known = self.targets.get(target["Id"]) or self.draining.get(target["Id"]) or target
    state, reason, description = _health(self, target["Id"], ec2_backend)
    return FakeHealthStatus(
        target["Id"], known.get("Port", self.port), self.health_check_port, state, reason, description
    )


def _health(group: FakeTargetGroup, target_id: str, ec2_backend: Any) -> tuple[str, str | None, str | None]:
    if target_id in group.draining:
        return "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
    if target_id not in group.targets:
        return "unused", "Target.NotRegistered", "Target is not registered to the target group"
    backend = elbv2_backends[group.account_id][group.region_name]
    if not backend._any_listener_using(group.arn):
        return "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
    instance = ec2_backend.get_instance_by_id(target_id)
    if instance is not None and instance.state != "running":
        return "unused", "Target.InvalidState", f"Target is in the {instance.state} state"
    return health.reported(group.arn, target_id)
