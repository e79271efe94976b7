"""Reads a key's usage by the query parameters of a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.usage.reports import (
    Bucket,
    Interval,
    Period,
    Tally,
    buckets,
    require_past,
    total,
)
from apikeys.validation import read_timestamp
from core.exceptions import Invalid

#: Length of the period without “from”.
_DEFAULT: Final = {Interval.HOUR: timedelta(hours=24), Interval.DAY: timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class Usage:
    """The data of `UsageSerializer`."""

    period: Period
    buckets: list[Bucket]
    tally: Tally


def usage_of(key: ApiKey, query: Mapping[str, str]) -> Usage:
    """Reads `from`, `to` and `interval`. Raises Invalid if they are malformed or contradictory."""
    interval = _interval(query.get("interval", Interval.HOUR))
    until = read_timestamp(query["to"], "to") if "to" in query else timezone.now()
    require_past(until, "to", margin=timedelta(days=1))
    since = until - _DEFAULT[interval]
    if "from" in query:
        since = read_timestamp(query["from"], "from")
    period = Period.between(since, until, interval)
    intervals = buckets(ApiKey.objects.filter(pk=key.pk), period)
    return Usage(period, intervals, total(bucket.tally for bucket in intervals))


def _interval(text: str) -> Interval:
    if text not in list(Interval):
        raise Invalid.field("interval", f"Choose one of these: {', '.join(Interval)}.")
    return Interval(text)
