"""The instances of Auto Scaling groups: launched, in service, balanced and retired, unless that is suspended."""

import time
from collections import Counter
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, Activity, FakeAutoScalingGroup, InstanceState
from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance

from cloud import timers
from corrections.target_groups import DELAY

# How long a launch that failed is not tried again, in seconds.
RETRY_SECONDS = 1


def is_suspended(group: FakeAutoScalingGroup, process: str) -> bool:
    return process in group._suspended_processes


def working(group: FakeAutoScalingGroup) -> list[InstanceState]:
    return [each for each in group.instance_states if each.lifecycle_state in ("Pending", "InService")]


def reconcile(group: FakeAutoScalingGroup) -> None:
    """Launches what is missing and terminates what is too many, unless that is suspended.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
    """
    missing = group.desired_capacity - len(working(group))
    if missing > 0 and not is_suspended(group, "Launch") and group.status is None:
        launch(group, missing)
    if missing < 0 and not is_suspended(group, "Terminate") and not is_rebalancing(group):
        for state in leaving(group, -missing):
            retire(group, state, "a difference between desired and actual capacity")
    rebalance(group)


def rebalance(group: FakeAutoScalingGroup) -> None:
    """When a zone has two instances more than another, launches one there first and terminates one here when that is in
    service. https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#AutoScalingBehavior.InstanceUsage
    """
    if is_suspended(group, "AZRebalance") or is_suspended(group, "Launch") or is_suspended(group, "Terminate"):
        return
    if any(each.lifecycle_state == "Pending" for each in group.instance_states) or group.status is not None:
        return
    used = Counter({subnet: 0 for subnet in subnets(group)})
    used.update(each.instance.subnet_id for each in working(group))
    most = max((used[each.instance.subnet_id] for each in working(group) if not each.protected_from_scale_in), default=0)
    if len(working(group)) == group.desired_capacity and most - min(used.values()) > 1:
        launch(group, 1, rebalances=True)


def is_rebalancing(group: FakeAutoScalingGroup) -> bool:
    return any(each.rebalances and each.lifecycle_state == "Pending" for each in group.instance_states)


def subnets(group: FakeAutoScalingGroup) -> list[str]:
    return (group.vpc_zone_identifier or "").split(",")


def launch(group: FakeAutoScalingGroup, count: int, rebalances: bool = False) -> None:
    """Into the zones with the fewest instances; a launch that fails is tried again.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html
    """
    used = Counter(each.instance.subnet_id for each in working(group))
    for _ in range(count):
        subnet = min(subnets(group), key=lambda each: used[each])
        used[subnet] += 1
        try:
            launch_one(group, subnet, rebalances)
        except Exception as error:  # whatever RunInstances refuses
            activity(group, "Launching a new EC2 instance. Status Reason: " + str(error), "Failed")
            timers.after(RETRY_SECONDS, lambda: reconcile(group) if exists(group) else None)
            return


def launch_one(group: FakeAutoScalingGroup, subnet: str, rebalances: bool) -> None:
    backend = group.autoscaling_backend.ec2_backend
    template = group.ec2_launch_template
    version = template.get_version(group.launch_template_version)
    reservation = backend.run_instances(
        group.image_id,
        1,
        group.user_data,
        [],
        instance_type=group.instance_type,
        tags={"instance": {**group.get_propagated_tags(), ASG_NAME_TAG: group.name, **group.instance_tags}},
        launch_template={"LaunchTemplateId": template.id, "Version": str(version.number)},
        is_instance_type_default=False,
        subnet_id=subnet,
        placement=backend.get_subnet(subnet).availability_zone,
    )
    instance = reservation.instances[0]
    instance.autoscaling_group = group
    state = InstanceState(
        instance, lifecycle_state="Pending", protected_from_scale_in=group.new_instances_protected_from_scale_in
    )
    state.rebalances = rebalances
    state.launched_from = {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": str(version.number),
    }
    state.activity = activity(group, f"Launching a new EC2 instance: {instance.id}", "InProgress")
    group.instance_states.append(state)
    if instance.state == "running":
        instance_runs(instance)


def instance_runs(instance: Instance) -> None:
    """An array's instance is in service as soon as it runs, and is registered then.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html
    """
    group = getattr(instance, "autoscaling_group", None)
    for state in group.instance_states if group is not None else ():
        if state.instance is instance and state.lifecycle_state == "Pending":
            state.lifecycle_state = "InService"
            state.in_service_since = time.monotonic()
            ended(state.activity, "Successful")
            if not is_suspended(group, "AddToLoadBalancer"):
                register(group, [instance])
            if state.rebalances:
                reconcile(group)


def leaving(group: FakeAutoScalingGroup, count: int) -> list[InstanceState]:
    """Those of the zones with the most, the oldest first; what is protected stays.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
    """
    candidates = [each for each in working(group) if not each.protected_from_scale_in]
    chosen: list[InstanceState] = []
    while candidates and len(chosen) < count:
        zones = Counter(each.availability_zone for each in working(group) if each not in chosen)
        chosen.append(max(candidates, key=lambda each: zones[each.availability_zone]))
        candidates.remove(chosen[-1])
    return chosen


def retire(group: FakeAutoScalingGroup, state: InstanceState, cause: str) -> Activity:
    """Deregistered first; terminated when the load balancer has finished with it.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html
    """
    instance = state.instance
    state.lifecycle_state = "Terminating"
    done = activity(group, f"Terminating EC2 instance: {instance.id}", "WaitingForELBConnectionDraining", cause)
    delay = deregister(group, [instance])

    def over() -> None:
        instance.terminate()
        forget(group, state)
        ended(done, "Successful")

    timers.after(delay, over)
    return done


def forget(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    group.instance_states = [each for each in group.instance_states if each is not state]


def register(group: FakeAutoScalingGroup, instances: list[Instance]) -> None:
    for target_group in target_groups(group):
        target_group.register([{"Id": each.id, "Port": target_group.port} for each in instances])


def deregister(group: FakeAutoScalingGroup, instances: list[Instance]) -> float:
    """Returns how long they drain, in seconds; those that were not registered do not."""
    delay = 0
    for target_group in target_groups(group):
        registered = [{"Id": each.id} for each in instances if each.id in target_group.targets]
        if registered:
            target_group.deregister(registered)
            delay = max(delay, int(target_group.attributes[DELAY]))
    return delay


def target_groups(group: FakeAutoScalingGroup) -> list[Any]:
    known = group.autoscaling_backend.elbv2_backend.target_groups
    return [known[arn] for arn in group.target_group_arns if arn in known]


def activity(group: FakeAutoScalingGroup, description: str, status: str, cause: str = "") -> Activity:
    cause = f"At {utcnow():%Y-%m-%dT%H:%M:%SZ} {cause or 'a difference between desired and actual capacity'}"
    result = Activity(description, cause, group, status_code=status)
    result.end_time = None
    group.activities.append(result)
    return result


def ended(known: Activity, status: str) -> None:
    known.status_code = status
    known.progress = 100
    known.end_time = utcnow()


def exists(group: FakeAutoScalingGroup) -> bool:
    return group.autoscaling_backend.autoscaling_groups.get(group.name) is group
