"""Auto Scaling groups: sizes, suspended processes, target groups, deletion and activities."""

from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState, TerminateInstanceActivity
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from cloud import timers
from corrections import array_health, scheduled_actions
from corrections.array_instances import deregister, is_suspended, reconcile, register, retire
from corrections.scaling_policies import forget_policies_of
from settings import settings

_create = AutoScalingBackend.create_auto_scaling_group
_init = FakeAutoScalingGroup.__init__
_enter_standby = AutoScalingBackend.enter_standby_instances
_exit_standby = AutoScalingBackend.exit_standby_instances
_detach = AutoScalingBackend.detach_instances
_answer_create = AutoScalingResponse.create_auto_scaling_group


def apply() -> None:
    FakeAutoScalingGroup.__init__ = init
    FakeAutoScalingGroup.update = update
    FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity
    AutoScalingBackend.create_auto_scaling_group = create
    AutoScalingBackend.update_attached_target_groups = update_attached_target_groups
    AutoScalingBackend.set_desired_capacity = set_desired_capacity_of
    AutoScalingBackend.detach_load_balancer_target_groups = detach_target_groups
    AutoScalingBackend.resume_processes = resume_processes
    AutoScalingBackend.notify_terminate_instances = notify_terminate_instances
    AutoScalingBackend.terminate_instance = terminate_instance
    AutoScalingBackend.enter_standby_instances = enter_standby
    AutoScalingBackend.exit_standby_instances = exit_standby
    AutoScalingBackend.detach_instances = detach_instances
    FakeAutoScalingGroup.suspended_processes = property(suspended_processes, suspend)
    AutoScalingResponse.create_auto_scaling_group = answer_create
    AutoScalingResponse.delete_auto_scaling_group = delete
    AutoScalingResponse.describe_scaling_activities = describe_scaling_activities
    InstanceState.launch_template = property(launch_template_of)
    InstanceState.rebalances = False
    InstanceState.in_service_since = 0.0


def init(self: FakeAutoScalingGroup, *args: Any, **kwargs: Any) -> None:
    """Where launches go is told of each group, with AWS's defaults.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AvailabilityZoneDistribution.html
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CapacityReservationSpecification.html
    """
    self.activities = []
    self.status = None
    self.availability_zone_distribution = {"CapacityDistributionStrategy": "balanced-best-effort"}
    self.capacity_reservation_specification = {"CapacityReservationPreference": "default"}
    _init(self, *args, **kwargs)
    check_sizes(self)


def create(self: Any, *args: Any, health_check_period: int | None = None, **asked: Any) -> FakeAutoScalingGroup:
    """Without a grace period there is none.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
    """
    group = _create(self, *args, health_check_period=health_check_period, **asked)
    group.health_check_grace_period = health_check_period or 0
    return group


def answer_create(self: Any) -> ActionResult:
    """A group may come with lifecycle hooks, which are there before its first server.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
    """
    answer = _answer_create(self)
    for hook in self._get_params().get("LifecycleHookSpecificationList", []):
        self.autoscaling_backend.create_lifecycle_hook(
            hook["LifecycleHookName"],
            self._get_param("AutoScalingGroupName"),
            hook["LifecycleTransition"],
            hook.get("HeartbeatTimeout"),
            hook.get("DefaultResult"),
        )
    return answer


def suspended_processes(group: FakeAutoScalingGroup) -> list[dict[str, str]]:
    """Each tells since when it is suspended.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SuspendedProcess.html
    """
    return [
        {"ProcessName": process, "SuspensionReason": f"User suspended at {group.suspended_at[process]}"}
        for process in group._suspended_processes
    ]


def suspend(group: FakeAutoScalingGroup, processes: list[str]) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = getattr(group, "suspended_at", {})
    group.suspended_at = {process: before.get(process, now) for process in processes}
    group._suspended_processes = processes


def launch_template_of(state: InstanceState) -> dict[str, Any] | None:
    """The version that the instance was launched from.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Instance.html
    """
    return getattr(state, "launched_from", None)


def check_sizes(group: FakeAutoScalingGroup) -> None:
    if group.min_size > group.max_size:
        raise ValidationError("Min size cannot be larger than max size")
    if not group.min_size <= group.desired_capacity <= group.max_size:
        raise ValidationError(f"Desired capacity:{group.desired_capacity} must be between the specified sizes")


def update(self: FakeAutoScalingGroup, **asked: Any) -> None:
    """A capacity that the call leaves out stays, within the sizes.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    """
    given = {name: value for name, value in asked.items() if value is not None}
    self._set_azs_and_vpcs(asked["availability_zones"], asked["vpc_zone_identifier"], update=True)
    self.min_size = given.get("min_size", self.min_size)
    self.max_size = given.get("max_size", self.max_size)
    self._set_launch_configuration(asked["launch_config_name"], asked["launch_template"], None)
    self.health_check_grace_period = given.get("health_check_period", self.health_check_grace_period)
    self.health_check_type = given.get("health_check_type", self.health_check_type)
    self.new_instances_protected_from_scale_in = given.get(
        "new_instances_protected_from_scale_in", self.new_instances_protected_from_scale_in
    )
    within = min(max(self.desired_capacity, self.min_size), self.max_size)
    self.set_desired_capacity(given.get("desired_capacity", within))
    check_sizes(self)


def set_desired_capacity_of(self: Any, group_name: str, desired_capacity: int | None) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html"""
    group = find(self, group_name)
    wanted = group.desired_capacity if desired_capacity is None else int(desired_capacity)
    refused = f"New SetDesiredCapacity value {wanted} is %s value %d for the AutoScalingGroup."
    if wanted > group.max_size:
        raise ValidationError(refused % ("above max", group.max_size))
    if wanted < group.min_size:
        raise ValidationError(refused % ("below min", group.min_size))
    group.set_desired_capacity(wanted)


def set_desired_capacity(self: FakeAutoScalingGroup, new_capacity: int | None) -> None:
    self.desired_capacity = self.min_size if new_capacity is None else int(new_capacity)
    reconcile(self)


def update_attached_target_groups(self: Any, group_name: str) -> None:
    """Registers what runs; what boots follows when it runs.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html
    """
    group = self.autoscaling_groups[group_name]
    if not is_suspended(group, "AddToLoadBalancer"):
        register(group, [each.instance for each in group.instance_states if each.lifecycle_state == "InService"])


def detach_target_groups(self: Any, group_name: str, target_group_arns: list[str]) -> None:
    """Deregisters its instances; they stay in service.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DetachLoadBalancerTargetGroups.html
    """
    group = find(self, group_name)
    kept = [arn for arn in group.target_group_arns if arn not in target_group_arns]
    group.target_group_arns = [arn for arn in group.target_group_arns if arn in target_group_arns]
    deregister(group, [each.instance for each in group.instance_states])
    group.target_group_arns = kept


def resume_processes(self: Any, group_name: str, scaling_processes: list[str]) -> None:
    """Resumes the processes, and does what was left undone.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
    """
    group = find(self, group_name)
    resumed = scaling_processes or group._suspended_processes
    group.suspended_processes = [each for each in group._suspended_processes if each not in resumed]
    array_health.check(group)
    reconcile(group)


def notify_terminate_instances(self: Any, instance_ids: list[str]) -> None:
    """An instance that somebody else ended is replaced when the health check finds it.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
    """
    for group in list(self.autoscaling_groups.values()):
        if any(each.instance.id in instance_ids for each in group.instance_states):
            timers.after(settings.arrayHealthCheckSeconds, lambda group=group: array_health.check(group))


def terminate_instance(self: Any, instance_id: str, should_decrement: bool) -> TerminateInstanceActivity:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html"""
    for group in self.autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance.id == instance_id:
                before = group.desired_capacity
                if should_decrement and before <= group.min_size:
                    raise ValidationError(
                        f"Currently, desiredSize equals minSize ({before}). "
                        "Terminating instance without replacement will violate group's min size constraint."
                    )
                group.desired_capacity = before - int(bool(should_decrement))
                retire(group, state, "a user request")
                reconcile(group)
                return TerminateInstanceActivity(state.instance, before)
    raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")


def enter_standby(self: Any, group_name: str, instance_ids: list[str], should_decrement: bool) -> list[Any]:
    """Out of the target groups, running, and no part of the capacity.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html
    """
    deregister(find(self, group_name), instances_of(self, group_name, instance_ids))
    return _enter_standby(self, group_name, instance_ids, should_decrement)


def exit_standby(self: Any, group_name: str, instance_ids: list[str]) -> list[Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html"""
    activities = _exit_standby(self, group_name, instance_ids)
    register(find(self, group_name), instances_of(self, group_name, instance_ids))
    return activities


def detach_instances(self: Any, group_name: str, instance_ids: list[str], should_decrement: bool) -> list[Any]:
    """Out of the group and its target groups, and running.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-detach-attach-instances.html
    """
    deregister(find(self, group_name), instances_of(self, group_name, instance_ids))
    return _detach(self, group_name, instance_ids, should_decrement)


def instances_of(backend: Any, group_name: str, instance_ids: list[str]) -> list[Any]:
    states = find(backend, group_name).instance_states
    return [each.instance for each in states if each.instance.id in instance_ids]


def delete(self: Any) -> EmptyResult:
    """Only an empty group, or by force; then its instances end at once, and the group when they have ended.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html
    """
    backend = self.autoscaling_backend
    group = find(backend, self._get_param("AutoScalingGroupName"))
    if group.instance_states and not self._get_bool_param("ForceDelete", False):
        raise AutoscalingClientError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances still in the group.",
        )
    group.status = "Delete in progress"
    states = list(group.instance_states)
    for state in states:
        state.lifecycle_state = "Terminating"
        state.instance.terminate()

    def gone() -> None:
        backend.autoscaling_groups.pop(group.name, None)
        forget_policies_of(backend, group.name)
        scheduled_actions.forget_all_of(backend, group.name)

    timers.after(settings.shutdownSeconds if states else 0, gone)
    return EmptyResult()


def describe_scaling_activities(self: Any) -> ActionResult:
    """The latest first.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html
    """
    name = self._get_param("AutoScalingGroupName")
    groups = self.autoscaling_backend.describe_auto_scaling_groups([name] if name else [])
    return ActionResult({"Activities": [each for group in groups for each in reversed(group.activities)]})


def find(backend: Any, name: str) -> FakeAutoScalingGroup:
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError("AutoScalingGroup name not found - null")
    return group
