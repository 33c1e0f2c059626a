"""Metrics: distributions, percentiles, periods, metric math."""

import heapq
import itertools
import math
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum, MetricDatum, MetricDatumBase, Statistics

from corrections import metric_math

KEPT = timedelta(hours=3)

_get = CloudWatchBackend.get_metric_data
_values = Statistics.metric_single_values_list.fget

Pairs = list[tuple[float, float]]

# What is told late, by when it arrives, in seconds since 1970.
_on_their_way: list[tuple[float, int, CloudWatchBackend, MetricDatumBase]] = []
_order = itertools.count()


class Distribution(MetricDatumBase):
    """Values and how often each was seen, as one datum: PutMetricData takes them as Values and Counts."""

    def __init__(
        self,
        namespace: str,
        name: str,
        pairs: Pairs,
        dimensions: list[dict[str, str]],
        timestamp: datetime,
        unit: str | None,
    ) -> None:
        super().__init__(namespace, name, dimensions, timestamp, unit)
        self.pairs = pairs


def apply() -> None:
    CloudWatchBackend.get_metric_data = get_metric_data
    Statistics.metric_single_values_list = property(values)


def tell(backend: CloudWatchBackend, datum: MetricDatumBase, arrives: float) -> None:
    heapq.heappush(_on_their_way, (arrives, next(_order), backend, datum))


def arrive() -> None:
    """Moves what has arrived by now to the rest."""
    while _on_their_way and _on_their_way[0][0] <= time.time():
        _, _, backend, datum = heapq.heappop(_on_their_way)
        backend.metric_data.append(datum)


def values(self: Any) -> list[float]:
    """Single values, for the statistics that moto has."""
    spread = [each for each in self.metric_data if isinstance(each, Distribution)]
    return _values(self) + [value for each in spread for value, count in each.pairs for _ in range(int(count))]


def get_metric_data(
    self: Any, queries: list[dict[str, Any]], start_time: datetime, end_time: datetime, scan_by: str = ""
) -> list[dict[str, Any]]:
    """Periods lie on multiples of their length, a metric is known by all of its dimensions, and expressions are worked
    out. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    if any(query.get("Expression", "").startswith("SELECT") for query in queries):
        return _get(self, queries, start_time, end_time, scan_by)
    start, end = _seconds(start_time), _seconds(end_time)
    if start >= end:
        raise ValidationError("The parameter EndTime must be greater than StartTime.")
    arrive()
    _forget(self)
    series = {
        query["Id"]: _series(self, query["MetricStat"], start, end) for query in queries if "MetricStat" in query
    }
    for query in queries:
        if "Expression" in query:
            series[query["Id"]] = metric_math.evaluate(query["Expression"], series)
    return [
        _result(query, series[query["Id"]], scan_by != "TimestampAscending")
        for query in queries
        if query.get("ReturnData") is not False
    ]


def _result(query: dict[str, Any], series: dict[float, float], descending: bool) -> dict[str, Any]:
    times = sorted(series, reverse=descending)
    metric = query.get("MetricStat", {}).get("Metric", {}).get("MetricName")
    return {
        "id": query["Id"],
        "label": query.get("Label") or metric or query["Id"],
        "timestamps": [datetime.fromtimestamp(time, UTC).replace(tzinfo=None) for time in times],
        "values": [series[time] for time in times],
        "status_code": "Complete",
    }


def _series(backend: Any, query: dict[str, Any], start: float, end: float) -> dict[float, float]:
    metric, period, unit = query["Metric"], int(query["Period"]), query.get("Unit")
    wanted = {(each["Name"], each["Value"]) for each in metric.get("Dimensions") or []}
    periods: dict[float, Pairs] = {}
    for datum in backend.get_all_metrics():
        if datum.name != metric["MetricName"] or datum.namespace != metric["Namespace"]:
            continue
        if {(each.name, each.value) for each in datum.dimensions} != wanted or unit not in (None, datum.unit):
            continue
        time = _seconds(datum.timestamp) // period * period
        if start // period * period <= time < end:
            periods.setdefault(time, []).extend(_pairs(datum))
    return {time: statistic(query["Stat"], pairs) for time, pairs in periods.items()}


def _pairs(datum: Any) -> Pairs:
    if isinstance(datum, MetricDatum):
        return [(datum.value, 1)]
    if isinstance(datum, MetricAggregatedDatum):
        # Its lowest and its highest value are known, and the sum of all.
        middle = datum.sample_count - 2
        if middle <= 0:
            return [(datum.sum / datum.sample_count, datum.sample_count)]
        return [(datum.min, 1), ((datum.sum - datum.min - datum.max) / middle, middle), (datum.max, 1)]
    return datum.pairs


def statistic(name: str, pairs: Pairs) -> float:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""
    count = sum(each for _, each in pairs)
    total = sum(value * each for value, each in pairs)
    match name:
        case "Sum":
            return total
        case "SampleCount":
            return count
        case "Average":
            return total / count
        case "Minimum":
            return min(value for value, _ in pairs)
        case "Maximum":
            return max(value for value, _ in pairs)
    if match := re.fullmatch(r"p(\d{1,3}(?:\.\d+)?)", name):
        return _percentile(sorted(pairs), float(match[1]) / 100 * count)
    if match := re.fullmatch(r"PR\(([\d.]*):([\d.]*)\)", name):
        low, high = float(match[1] or -math.inf), float(match[2] or math.inf)
        return 100 * sum(each for value, each in pairs if low < value <= high) / count
    raise ValidationError(f"The value {name} for parameter Stat is not supported by the sandbox.")


def _percentile(pairs: Pairs, rank: float) -> float:
    seen = 0.0
    for value, count in pairs:
        seen += count
        if seen >= rank:
            return value
    return pairs[-1][0]


def _seconds(time: Any) -> float:
    if not isinstance(time, datetime):
        return float(time)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _forget(backend: Any) -> None:
    """Metrics of high resolution are kept for three hours, and here no others.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
    """
    oldest = (datetime.now(UTC) - KEPT).timestamp()
    if backend.metric_data and _seconds(backend.metric_data[0].timestamp) < oldest:
        backend.metric_data = [each for each in backend.metric_data if _seconds(each.timestamp) >= oldest]
