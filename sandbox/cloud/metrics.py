"""What the load balancer tells CloudWatch: by the minute, late by up to two, and node by node, so that what is there of a
minute before is revised. A minute lasts `metricMinuteSeconds` here.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.elbv2.models import elbv2_backends

import health
from corrections import target_tracking
from corrections.cloudwatch import Distribution, arrive, tell
from settings import settings

NAMESPACE = "AWS/ApplicationELB"
MOST_MINUTES_LATE = 2

_random = random.Random(settings.seed)
# By metric, node and minute: when it arrives.
_arrivals: dict[tuple[str, str, float], float] = {}


def publish(reports: list[dict[str, Any]]) -> None:
    """Takes the nodes' reports; one for a target group that is gone comes too late."""
    arrive()
    for account, regions in elbv2_backends.items():
        for region, backend in regions.items():
            groups = backend.target_groups
            own = [each for each in reports if each["targetGroupArn"] in groups]
            healthy = {arn: _healthy(groups[arn]) for arn in {each["targetGroupArn"] for each in own}}
            requests: Counter[str] = Counter()
            for each in own:
                arn = each["targetGroupArn"]
                requests[arn] += each["requests"]
                for load_balancer_arn in groups[arn].load_balancer_arns:
                    balancer = {"Name": "LoadBalancer", "Value": load_balancer_arn.split(":loadbalancer/")[-1]}
                    target = {"Name": "TargetGroup", "Value": arn.split(":")[-1]}
                    cloudwatch = cloudwatch_backends[account][region]
                    for dimensions in ([balancer], [target, balancer]):
                        _put(cloudwatch, dimensions, each, healthy[arn])
            for arn, count in requests.items():
                if healthy[arn] > 0:
                    target_tracking.observe(arn, 60 * count / healthy[arn])


def _healthy(group: Any) -> int:
    return sum(health.reported(group.arn, target_id)[0] == "healthy" for target_id in group.targets)


def _put(backend: CloudWatchBackend, dimensions: list[dict[str, str]], report: dict[str, Any], healthy: int) -> None:
    minute = report["timestamp"] // settings.metricMinuteSeconds * settings.metricMinuteSeconds
    time = datetime.fromtimestamp(minute, UTC).replace(tzinfo=None)

    def put(name: str, unit: str, pairs: list[tuple[float, float]]) -> None:
        datum = Distribution(NAMESPACE, name, pairs, dimensions, time, unit)
        tell(backend, datum, _arrival(name, report["node"], minute))

    # A count of one for each request, so that Sum and SampleCount say the same. Errors are told only where there are some.
    put("RequestCount", "Count", [(1, report["requests"])])
    if healthy > 0 and len(dimensions) > 1:
        put("RequestCountPerTarget", "Count", [(report["requests"] / healthy, 1)])
    if report["errors"] > 0:
        put("HTTPCode_Target_5XX_Count", "Count", [(1, report["errors"])])
    if report["clientErrors"] > 0:
        put("HTTPCode_Target_4XX_Count", "Count", [(1, report["clientErrors"])])
    if report["seconds"]:
        put("TargetResponseTime", "Seconds", list(zip(report["seconds"], report["counts"], strict=True)))


def _arrival(name: str, node: str, minute: float) -> float:
    length = settings.metricMinuteSeconds
    for key in [key for key in _arrivals if key[2] < minute - 10 * length]:
        del _arrivals[key]
    late = length * (1 + MOST_MINUTES_LATE * _random.random())
    return _arrivals.setdefault((name, node, minute), minute + late)
