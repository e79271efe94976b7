"""Usage reports: by hour or day, by key, by result. Times are in UTC."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import TruncDay
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyQuerySet, KeyUsage, ScopeUse
from apikeys.usage.key_request import REFUSED, Result
from core.exceptions import Invalid

#: Days without use after which a scope is reported as unused.
UNUSED_DAYS: Final = 90
_FIRST_YEAR: Final = 2000
ALL: Final[frozenset[str]] = frozenset(Result)
#: Results of requests that were accepted and failed.
ERRORS: Final = ALL - REFUSED - {Result.OK}


class Interval(StrEnum):
    """The length of the intervals that usage is reported in."""

    HOUR = "hour"
    DAY = "day"

    @property
    def step(self) -> timedelta:
        return timedelta(hours=1) if self is Interval.HOUR else timedelta(days=1)

    @property
    def max_count(self) -> int:
        """The maximum number of intervals per request."""
        return 24 * 31 if self is Interval.HOUR else 366

    def floor(self, moment: datetime) -> datetime:
        """The start of the interval that contains `moment`."""
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return hour if self is Interval.HOUR else hour.replace(hour=0)


def require_past(moment: datetime, name: str, margin: timedelta = timedelta(0)) -> None:
    """Raises Invalid for a time before the year 2000 or more than `margin` in the future."""
    if moment.year < _FIRST_YEAR or moment > timezone.now() + margin:
        raise Invalid.field(name, f"Choose a moment from the year {_FIRST_YEAR} until now.")


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to before `end`, both at the start of an interval."""

    start: datetime
    end: datetime
    interval: Interval

    @classmethod
    def between(cls, since: datetime, until: datetime, interval: Interval) -> "Period":
        """The whole intervals from `since` to `until`. Raises Invalid for implausible times."""
        require_past(until, "to", margin=timedelta(days=1))
        require_past(since, "from")
        if since >= until:
            raise Invalid.field("from", "Choose a moment before “to”.")
        start = interval.floor(since)
        end = interval.floor(until - timedelta(microseconds=1)) + interval.step
        if (end - start) / interval.step > interval.max_count:
            message = (
                f"Ask for at most {interval.max_count} intervals of one {interval} per request."
            )
            raise Invalid.field("from", message)
        return cls(start, end, interval)

    @classmethod
    def last(cls, count: int, interval: Interval) -> "Period":
        """The last `count` intervals, including the current one."""
        end = interval.floor(timezone.now()) + interval.step
        return cls(end - count * interval.step, end, interval)

    @property
    def previous(self) -> "Period":
        """The period before this one. Ends as much of an interval before its end as this one.

        So a day of which 14 hours have passed is compared with the first 14 hours of another day.
        """
        length = self.end - self.start
        hour = Interval.HOUR
        end = min(self.end, hour.floor(timezone.now()) + hour.step) - length
        return Period(self.start - length, end, hour)

    @property
    def starts(self) -> list[datetime]:
        """The start of each interval."""
        count = (self.end - self.start) // self.interval.step
        return [self.start + n * self.interval.step for n in range(count)]


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests by result: of an interval, of a key, or in total."""

    results: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        return self.results.total()

    @property
    def ok(self) -> int:
        return self.results[Result.OK]

    @property
    def refused(self) -> int:
        return sum(self.results[reason] for reason in REFUSED)

    @property
    def failed(self) -> int:
        """Client and server errors."""
        return self.requests - self.ok - self.refused

    def only(self, results: frozenset[str]) -> "Tally":
        """The requests with one of `results`."""
        kept = {name: number for name, number in self.results.items() if name in results}
        return Tally(Counter(kept))


#: Shared, because most keys have no requests on most days.
_EMPTY: Final = Tally()


@dataclass(frozen=True, slots=True)
class Bucket:
    start: datetime
    tally: Tally


def buckets(keys: ApiKeyQuerySet, period: Period) -> list[Bucket]:
    """Each interval of the period in order, including empty ones. One query."""
    rows = _usage_of(keys, period)
    if period.interval is Interval.DAY:
        rows = rows.annotate(at=TruncDay("hour", tzinfo=UTC)).values_list("at", "result")
    else:
        rows = rows.values_list("hour", "result")
    tallies = _tallies(rows.annotate(sum=Sum("requests")))
    return [Bucket(start, tallies.get(start, _EMPTY)) for start in period.starts]


def by_key(keys: ApiKeyQuerySet, period: Period) -> Mapping[UUID, Tally]:
    """The tally of each key that was used in the period. One query."""
    rows = _usage_of(keys, period).values_list("key_id", "result")
    return _tallies(rows.annotate(sum=Sum("requests")))


def busiest(
    keys: ApiKeyQuerySet, period: Period, most: int, results: frozenset[str] = ALL
) -> Mapping[UUID, Tally]:
    """The `most` keys with the most requests of `results`, busiest first. Two queries.

    Their tallies have all results.
    """
    usage = _with_results(_usage_of(keys, period), results)
    sums = usage.values("key_id").annotate(sum=Sum("requests"))
    ids = list(sums.order_by("-sum", "key_id").values_list("key_id", flat=True)[:most])
    tallies = by_key(ApiKey.objects.filter(pk__in=ids), period)
    return {key: tallies[key] for key in ids if key in tallies}


def total_of(keys: ApiKeyQuerySet, period: Period) -> Tally:
    """The tally of all keys together. One query."""
    rows = _usage_of(keys, period).values_list("result").annotate(sum=Sum("requests"))
    return Tally(Counter(dict(rows)))


def tally_of(key: ApiKey, period: Period) -> Tally:
    """The key's tally in the period. One query."""
    return by_key(ApiKey.objects.filter(pk=key.pk), period).get(key.pk, _EMPTY)


def last_refusal(key: ApiKey) -> KeyUsage | None:
    """The last hour in which a request with the key was refused. One query."""
    refused = KeyUsage.objects.filter(key_id=key.pk, result__in=REFUSED)
    return refused.order_by("-hour", "result").first()


def days_by_key(keys: Iterable[UUID], period: Period) -> Mapping[UUID, list[Tally]]:
    """The daily tallies of each key. One query."""
    keys = list(keys)
    rows = KeyUsage.objects.filter(key_id__in=keys).between(period.start, period.end)
    days = rows.annotate(at=TruncDay("hour", tzinfo=UTC)).values_list("key_id", "at", "result")
    tallies = _tallies(
        ((key, at), result, count) for key, at, result, count in days.annotate(sum=Sum("requests"))
    )
    starts = period.starts
    return {key: [tallies.get((key, day), _EMPTY) for day in starts] for key in keys}


def rows(
    keys: ApiKeyQuerySet, period: Period, results: frozenset[str] = ALL
) -> Iterator[tuple[datetime, str, UUID, str, int]]:
    """Yields hour, key name, key ID, result and requests, hour by hour. One query per day."""
    start = period.start
    while start < period.end:
        end = min(start + timedelta(days=1), period.end)
        usage = _with_results(KeyUsage.objects.of(keys).between(start, end), results)
        usage = usage.order_by("hour", "key_id", "result")
        values = usage.values_list("hour", "key__name", "key_id", "result", "requests")
        yield from values.iterator(chunk_size=500)
        start = end


def total(tallies: Iterable[Tally]) -> Tally:
    results: Counter[str] = Counter()
    for tally in tallies:
        if tally.results:  # adding an empty counter takes as long as a full one
            results.update(tally.results)
    return Tally(results)


def _usage_of(keys: ApiKeyQuerySet, period: Period) -> Any:
    return KeyUsage.objects.of(keys).between(period.start, period.end)


def _with_results(usage: Any, results: frozenset[str]) -> Any:
    return usage if results is ALL else usage.filter(result__in=results)


def _tallies(rows: Iterable[tuple[Any, str, int]]) -> dict[Any, Tally]:
    tallies: dict[Any, Tally] = {}
    for group, result, count in rows:
        tallies.setdefault(group, Tally()).results[result] += count
    return tallies


def unused_scopes(key: ApiKey) -> list[str]:
    """Scopes not used for 90 days. Empty unless usage has been recorded for that long."""
    return unused_scopes_of([key]).get(key.pk, [])


def unused_scopes_of(keys: Iterable[ApiKey]) -> Mapping[UUID, list[str]]:
    """The unused scopes of each key that has any. Two queries."""
    since = timezone.now() - timedelta(days=UNUSED_DAYS)
    keys = [key for key in keys if key.created_at <= since]
    ids = [key.pk for key in keys]
    first = KeyUsage.objects.filter(key_id=OuterRef("pk")).order_by("hour").values("hour")[:1]
    counted = ApiKey.objects.filter(pk__in=ids).annotate(first=Subquery(first))
    watched = set(counted.filter(first__lte=since).values_list("pk", flat=True))
    fresh = ScopeUse.objects.filter(key_id__in=ids, last_used_on__gte=since.date())
    used = set(fresh.values_list("key_id", "scope"))
    unused = {
        key.pk: [scope for scope in key.scopes if (key.pk, scope) not in used]
        for key in keys
        if key.pk in watched
    }
    return {key: scopes for key, scopes in unused.items() if scopes}
