"""Metrics that the load balancer sends to CloudWatch.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.elbv2.models import elbv2_backends

import health
from corrections import target_tracking
from corrections.cloudwatch import Distribution

NAMESPACE = "AWS/ApplicationELB"


def publish(reports: list[dict[str, Any]]) -> None:
    """Takes the network's reports; one for a target group that is gone comes too late."""
    for account, regions in elbv2_backends.items():
        for region, backend in regions.items():
            for each in reports:
                group = backend.target_groups.get(each["targetGroupArn"])
                if group is None:
                    continue
                healthy = sum(health.reported(group.arn, target_id)[0] == "healthy" for target_id in group.targets)
                if healthy > 0:
                    each["perTarget"] = each["requests"] / healthy
                    target_tracking.observe(group.arn, 60 * each["perTarget"])
                for load_balancer_arn in group.load_balancer_arns:
                    balancer = {"Name": "LoadBalancer", "Value": load_balancer_arn.split(":loadbalancer/")[-1]}
                    target = {"Name": "TargetGroup", "Value": group.arn.split(":")[-1]}
                    cloudwatch = cloudwatch_backends[account][region]
                    for dimensions in ([balancer], [target, balancer]):
                        _put(cloudwatch, dimensions, each)


def _put(backend: CloudWatchBackend, dimensions: list[dict[str, str]], report: dict[str, Any]) -> None:
    time = datetime.fromtimestamp(report["timestamp"], UTC).replace(tzinfo=None)

    def put(name: str, unit: str, pairs: list[tuple[float, float]]) -> None:
        backend.metric_data.append(Distribution(NAMESPACE, name, pairs, dimensions, time, unit))

    # A count of one for each request, so that Sum and SampleCount say the same. Errors are told only where there are some.
    put("RequestCount", "Count", [(1, report["requests"])])
    if "perTarget" in report and len(dimensions) > 1:
        put("RequestCountPerTarget", "Count", [(report["perTarget"], 1)])
    if report["errors"] > 0:
        put("HTTPCode_Target_5XX_Count", "Count", [(1, report["errors"])])
    if report["seconds"]:
        put("TargetResponseTime", "Seconds", list(zip(report["seconds"], report["counts"], strict=True)))
