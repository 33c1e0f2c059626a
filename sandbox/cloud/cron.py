"""Cron expressions of five fields: minute, hour, day of the month, month, day of the week."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, rrule

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def following(expression: str, time_zone: str, now: datetime) -> datetime:
    """The first time after `now`, in UTC. Where both days are given, either will do.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
    """
    minute, hour, day, month, weekday = expression.lower().split()
    common = {
        "dtstart": now.astimezone(ZoneInfo(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0),
        "byminute": _values(minute, 0, 59),
        "byhour": _values(hour, 0, 23),
        "bymonth": _values(month, 1, 12, _MONTHS),
        "bysecond": 0,
    }
    days: list[dict[str, list[int]]] = []
    if day != "*" or weekday == "*":
        days.append({"bymonthday": _values(day, 1, 31)})
    if weekday != "*":
        # The rule's week begins on Monday, cron's on Sunday, which may also be 7.
        days.append({"byweekday": [(each - 1) % 7 for each in _values(weekday, 0, 7, _DAYS)]})
    times = [rrule(DAILY, **common, **each).after(now) for each in days]
    return min(time for time in times if time is not None).astimezone(UTC)


def _values(field: str, low: int, high: int, names: list[str] | None = None) -> list[int]:
    """Of a list of numbers, names, ranges and steps."""
    for index, name in enumerate(names or []):
        field = field.replace(name, str(index + low))
    values: list[int] = []
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        values += range(int(first), int(last or (high if step else first)) + 1, int(step or 1))
    if not values or min(values) < low or max(values) > high:
        raise ValueError(f"{field} is not within {low}-{high}")
    return values
