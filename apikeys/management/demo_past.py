"""History for the demo: runs services at an earlier time, and generates usage of keys."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final
from unittest.mock import patch
from uuid import UUID
from zlib import crc32

from django.utils import timezone

from apikeys.usage.key_request import Result
from core import ids

_HOUR: Final = timedelta(hours=1)
#: Requests per hour in percent of the busiest hour, from midnight UTC.
_AROUND_THE_CLOCK: Final = (
    *(18, 14, 11, 10, 11, 15, 26, 45, 68, 84, 93, 97),
    *(92, 95, 100, 99, 94, 86, 74, 63, 52, 42, 32, 24),
)
_OFFICE: Final = (*[0] * 7, 20, 60, 90, 100, 85, 50, 75, 95, 90, 70, 30, *[0] * 6)
#: How many times as many requests fail on a bad day.
_WORSE: Final = 9
_AT_NIGHT: Final = (0, 0, 100, *[0] * 21)


@contextmanager
def as_of(moment: datetime) -> Iterator[None]:
    """Makes `moment` the current time within the block, also for new IDs, which contain the time.

    Affects the whole process: nothing else may run in it.
    """
    numbers = count(1)
    first = ids.first_id(moment).int | 7 << 76 | 2 << 62

    def made_then() -> UUID:
        return UUID(int=first | next(numbers) << 64 | secrets.randbits(62))

    with patch.object(timezone, "now", lambda: moment), patch.object(ids, "uuid7", made_then):
        yield


@dataclass(frozen=True, slots=True)
class Habit:
    """How a client uses its key: requests in its busiest hour, over the day, and on weekends."""

    busiest: int
    day: tuple[int, ...]
    weekend: int
    errors_in_thousand: int = 0

    def requests(self, name: str, hour: datetime) -> int:
        """Requests in that hour. Reproducible, and similar to a week before."""
        percent = self.day[hour.hour] * (self.weekend if hour.weekday() >= 5 else 100)
        wobble = 85 + crc32(f"{name} {hour:%Y-%m-%d %H}".encode()) % 31
        return self.busiest * percent * wobble // 1_000_000

    def has_incident(self, name: str, hour: datetime) -> bool:
        """Whether more requests fail than usual on that day, about one in three weeks."""
        return crc32(f"{name} {hour:%Y-%m-%d}".encode()) % 21 == 0


SERVERS: Final = Habit(4200, _AROUND_THE_CLOCK, weekend=45, errors_in_thousand=9)
VISITORS: Final = Habit(900, _AROUND_THE_CLOCK, weekend=120, errors_in_thousand=22)
PEOPLE: Final = Habit(140, _OFFICE, weekend=0, errors_in_thousand=40)
JOBS: Final = Habit(60, _OFFICE, weekend=0, errors_in_thousand=5)
NIGHTLY: Final = Habit(2600, _AT_NIGHT, weekend=100, errors_in_thousand=2)


def hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """The start of each hour that overlaps the period."""
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        yield hour
        hour += _HOUR


def usage(
    name: str, habit: Habit, start: datetime, end: datetime
) -> Iterator[tuple[datetime, Result, int]]:
    """Yields hour, result and requests from `start` to `end`. Scales down partial hours."""
    for hour in hours(start, end):
        share = (min(end, hour + _HOUR) - max(start, hour)) / _HOUR
        requests = int(habit.requests(name, hour) * share)
        worse = _WORSE if habit.has_incident(name, hour) else 1
        wrong = requests * habit.errors_in_thousand * worse // 1000
        # The busiest client sometimes reaches its rate limit.
        limited = requests // 25 if requests > 4500 else 0
        told = (Result.OK, Result.CLIENT_ERROR, Result.RATE_LIMITED)
        for result, number in zip(told, (requests, wrong, limited), strict=True):
            if number:
                yield hour, result, number


def last_use(uses: list[tuple[datetime, Result, int]], end: datetime) -> datetime:
    """The time of the last successful request, within its hour and before `end`."""
    hour = max(hour for hour, result, _ in uses if result is Result.OK)
    return min(hour + timedelta(minutes=47), hour + (end - hour) * 0.9)
