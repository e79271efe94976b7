"""How points in time are written, for people and for machines."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils.timesince import timesince

#: Longer durations are given in months and years.
_COUNTED_DAYS: Final = 31


def rfc3339(value: datetime) -> str:
    """A point in time in UTC, to the second: ``2026-11-04T14:05:00Z``."""
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def stamp(value: datetime) -> str:
    """Time to the minute with its time zone: ``4 Nov 2026, 14:05 UTC``."""
    moment = value.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def days_in_words(days: int) -> str:
    """``1 day``, ``90 days``; ``1 year`` for 365."""
    return "1 year" if days == 365 else f"{days:,} day{'' if days == 1 else 's'}"


def days_between(earlier: datetime, later: datetime) -> int:
    """Calendar days in UTC between two times."""
    return (later.astimezone(UTC).date() - earlier.astimezone(UTC).date()).days


def distance(earlier: datetime, later: datetime) -> str:
    """Duration in one unit, in calendar days from one day on. Empty under a minute."""
    if later - earlier >= timedelta(days=1):
        days = days_between(earlier, later)
        if days < _COUNTED_DAYS:
            return f"{days}\xa0day{'' if days == 1 else 's'}"
    since = timesince(earlier, later, depth=1)
    return "" if since.startswith("0\xa0") else since
