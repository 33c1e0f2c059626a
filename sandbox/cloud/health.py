"""Health of targets: what the network reports, and what only the control plane knows."""

from typing import Any

from moto.elbv2.models import elbv2_backends

# (target group ARN, instance id) -> the network's last report.
_reports: dict[tuple[str, str], dict[str, Any]] = {}


def report(reports: list[dict[str, Any]]) -> None:
    """Takes the network's reports; those for targets that are not registered any more come too late."""
    groups = {
        arn: group
        for backends in elbv2_backends.values()
        for backend in backends.values()
        for arn, group in backend.target_groups.items()
    }
    for each in reports:
        group = groups.get(each["targetGroupArn"])
        if group is not None and each["instanceId"] in group.targets:
            _reports[(each["targetGroupArn"], each["instanceId"])] = each


def reset() -> None:
    _reports.clear()


def forget(target_group_arn: str, instance_id: str) -> None:
    """A target that is registered again starts anew."""
    _reports.pop((target_group_arn, instance_id), None)


def reported(target_group_arn: str, instance_id: str) -> tuple[str, str | None, str | None]:
    """State, reason and description, as DescribeTargetHealth has them."""
    known = _reports.get((target_group_arn, instance_id))
    if known is None:
        return "initial", "Elb.RegistrationInProgress", "Target registration is in progress"
    if known["state"] == "initial":
        return "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
    return known["state"], known.get("reason"), known.get("description")
