"""The Usage page: requests by key and result, and their export."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.pages.base import DeveloperPage
from apikeys.pages.csv_export import begin_export, csv_response
from apikeys.pages.usage.charts import bar_chart, chart
from apikeys.pages.usage.tiles import percent, success_share, tiles
from apikeys.usage import reports
from apikeys.usage.key_request import REFUSED, Result
from apikeys.usage.reports import Interval, Period, Tally
from core import ids
from core.bulkheads import Kind
from core.timestamps import rfc3339

#: Value in the URL → label, number of intervals, interval.
RANGES: Final = {
    "24h": ("24 hours", 24, Interval.HOUR),
    "7d": ("7 days", 7, Interval.DAY),
    "30d": ("30 days", 30, Interval.DAY),
    "90d": ("90 days", 90, Interval.DAY),
}
_DEFAULT: Final = "7d"
#: Value in the URL → label, results.
OUTCOMES: Final = {
    "": ("All outcomes", reports.ALL),
    "errors": ("Errors only", reports.ERRORS),
    "rejected": ("Rejected only", REFUSED),
}
#: The most keys listed, busiest first.
_MOST: Final = 50
RESULT_LABELS: Final = {
    Result.OK: "Successful",
    Result.CLIENT_ERROR: "Client errors (4xx)",
    Result.SERVER_ERROR: "Server errors (5xx)",
    Result.RATE_LIMITED: "Rate limited",
    Result.INSUFFICIENT_SCOPE: "Missing permission",
    Result.FORBIDDEN: "Forbidden",
    Result.KEY_REVOKED: "Deleted key",
    Result.KEY_ROTATED: "Rotated secret",
    Result.KEY_EXPIRED: "Expired key",
    Result.KEY_DISABLED: "Disabled key",
    Result.API_ACCESS_DISABLED: "API access off",
}


@dataclass(frozen=True, slots=True)
class KeyTally:
    """A key's numbers in a period. `part` is its part of all requests, from 0 to 100."""

    key: ApiKey
    tally: Tally
    part: float = 0

    @property
    def success(self) -> str:
        """The share of its requests that were successful."""
        return percent(success_share(self.tally))


class UsagePage(DeveloperPage):
    """Reads the query of the URL. Unknown or malformed parameters are ignored."""

    tab = "usage"

    @property
    def range_name(self) -> str:
        """The requested range, or the default."""
        name = self.request.GET.get("range", _DEFAULT)
        return name if name in RANGES else _DEFAULT

    @property
    def period(self) -> Period:
        """The range as a period that ends now."""
        _, count, interval = RANGES[self.range_name]
        return Period.last(count, interval)

    @property
    def outcome(self) -> str:
        """The requested outcome. Empty for all."""
        name = self.request.GET.get("outcome", "")
        return name if name in OUTCOMES else ""

    @property
    def results(self) -> frozenset[str]:
        """The results of the requested outcome."""
        return OUTCOMES[self.outcome][1]

    @property
    def key_id(self) -> UUID | None:
        """The requested key. None for all."""
        return ids.read_id("key", self.request.GET.get("key", ""))

    @property
    def keys(self) -> ApiKeyQuerySet:
        """The organization's keys, or only the requested one."""
        keys = self.organization_keys()
        return keys.filter(pk=self.key_id) if self.key_id else keys

    def query(self, **changes: str) -> str:
        """The URL query of this page with changes. Defaults are omitted."""
        key_id = ids.public_id("key", self.key_id) if self.key_id else ""
        values = {"range": self.range_name, "key": key_id, "outcome": self.outcome, **changes}
        return f"?{urlencode({name: value for name, value in values.items() if value})}"


class Usage(UsagePage):
    """Totals, chart, table, keys and results."""

    def get(self, request: HttpRequest) -> HttpResponse:
        period, keys = self.period, self.keys
        only = keys.first() if self.key_id else None
        busiest = _busiest(self.organization_keys(), period, self.results)
        numbers = self._numbers(keys, period)
        if not self.key_id:
            numbers["busiest"] = [_with_part(row, numbers["total"]) for row in busiest]
            numbers["unused"] = _unused([row.key for row in busiest])
        elif only:
            numbers["unused"] = _unused([only])
        context = {
            "ranges": [(self.query(range=v), v, label) for v, (label, *_) in RANGES.items()],
            "chosen": self.range_name,
            "range_label": RANGES[self.range_name][0],
            "outcomes": [(value, label) for value, (label, _) in OUTCOMES.items()],
            "outcome": self.outcome,
            "only": only,
            "choices": _choices(busiest, only),
            "query": self.query(),
            "query_of_all": self.query(key=""),
            "query_of_key": self.query(key="") + "&key=",
            "is_hourly": period.interval is Interval.HOUR,
        }
        return self.render("apikeys/usage.html", {**context, **numbers})

    def _numbers(self, keys: ApiKeyQuerySet, period: Period) -> dict[str, Any]:
        """Totals and their change, of all outcomes; bars and results, of the requested one."""
        buckets = reports.buckets(keys, period)
        total = reports.total(bucket.tally for bucket in buckets)
        before = _total_before(keys, period) if total.requests else None
        results = total.only(self.results).results.most_common()
        return {
            "total": total,
            "tiles": tiles(total, before),
            "has_before": before is not None,
            "buckets": buckets,
            "chart": bar_chart(buckets, period.interval, self.results),
            "results": [(RESULT_LABELS[Result(result)], number) for result, number in results],
        }


class UsageExport(UsagePage):
    """Usage as CSV, by hour, key and result."""

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "export"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Streams the rows while they are read."""
        place = begin_export(self.organization, what="usage", actor=self.actor)
        name = f"usage-{self.organization.slug}-{self.range_name}-{timezone.now():%Y-%m-%d}.csv"
        usage = reports.rows(self.keys, self.period, self.results)
        return csv_response(place, _rows(usage), name)


def _busiest(keys: ApiKeyQuerySet, period: Period, results: frozenset[str]) -> list[KeyTally]:
    tallies = reports.busiest(keys, period, _MOST, results)
    keys_by_id = keys.in_bulk(list(tallies))
    return [KeyTally(keys_by_id[pk], tally) for pk, tally in tallies.items()]


def _total_before(keys: ApiKeyQuerySet, period: Period) -> Tally | None:
    """The total of the period before. None if the first key is younger, or was not used."""
    first = keys.order_by("id").values_list("created_at", flat=True).first()
    if first is None or first > period.previous.start:
        return None
    total = reports.total_of(keys, period.previous)
    return total if total.requests else None


def _with_part(row: KeyTally, total: Tally) -> KeyTally:
    return replace(row, part=round(100 * row.tally.requests / total.requests, 1))


def _unused(keys: list[ApiKey]) -> list[tuple[ApiKey, list[str]]]:
    """The keys with unused scopes, and these scopes."""
    unused = reports.unused_scopes_of(keys)
    return [(key, unused[key.pk]) for key in keys if key.pk in unused]


def _choices(busiest: list[KeyTally], only: ApiKey | None) -> list[ApiKey]:
    """The keys that the filter offers, by name: the busiest ones, and the chosen one."""
    keys = {row.key.pk: row.key for row in busiest}
    if only:
        keys[only.pk] = only
    return sorted(keys.values(), key=lambda key: (key.name_key, bool(key.revoked_at)))


def _rows(
    usage: Iterator[tuple[datetime, str, Any, str, int]],
) -> Iterator[tuple[str | int, ...]]:
    yield ("Hour (UTC)", "Key", "Key ID", "Result", "Requests")
    for hour, name, key_id, result, requests in usage:
        yield rfc3339(hour), name, ids.public_id("key", key_id), result, requests


def sparklines(keys: list[ApiKey]) -> dict[Any, dict[str, Any]]:
    """Key ID → chart and total of its last 30 days. Makes one query."""
    days = reports.days_by_key([key.pk for key in keys], Period.last(30, Interval.DAY))
    return {
        key: {"chart": chart(tallies), "total": reports.total(tallies)}
        for key, tallies in days.items()
    }


def last_days(keys: ApiKeyQuerySet, days: int = 30) -> dict[str, Any]:
    """The template context of the chart of the last days. Makes one query."""
    buckets = reports.buckets(keys, Period.last(days, Interval.DAY))
    total = reports.total(bucket.tally for bucket in buckets)
    return {
        "total": total,
        "tiles": tiles(total),
        "chart": bar_chart(buckets, Interval.DAY),
        "range_label": f"{days} days",
    }


def last_refusal(key: ApiKey) -> dict[str, Any] | None:
    """The hour and reason of the key's last rejected request, if any. Makes one query."""
    usage = reports.last_refusal(key)
    return {"hour": usage.hour, "reason": RESULT_LABELS[Result(usage.result)]} if usage else None
