"""Health of targets: what the network reports, and what only the control plane knows."""

from typing import Any

# (target group ARN, instance id) -> the network's last report.
_reports: dict[tuple[str, str], dict[str, Any]] = {}


def report(reports: list[dict[str, Any]]) -> None:
    for each in reports:
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


