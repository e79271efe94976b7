"""The Usage page: requests by key and result, and their export."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.pages.base import DeveloperPage
from apikeys.pages.csv_export import begin_export, csv_response
from apikeys.pages.usage.charts import chart
from apikeys.usage import reports
from apikeys.usage.key_request import Result
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
    key: ApiKey
    tally: Tally


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
    def keys(self) -> ApiKeyQuerySet:
        """The organization's keys, or only the requested one."""
        keys = self.organization_keys()
        key_id = ids.read_id("key", self.request.GET.get("key", ""))
        return keys.filter(pk=key_id) if key_id else keys


class Usage(UsagePage):
    """Totals, chart, table, keys and results."""

    def get(self, request: HttpRequest) -> HttpResponse:
        period, keys = self.period, self.keys
        buckets = reports.buckets(keys, period)
        tallies = [bucket.tally for bucket in buckets]
        total = reports.total(tallies)
        only = keys.first() if ids.read_id("key", request.GET.get("key", "")) else None
        busiest = _busiest(keys, period)
        unused = reports.unused_scopes_of([row.key for row in busiest])
        context = {
            "ranges": [(value, label) for value, (label, *_) in RANGES.items()],
            "chosen": self.range_name,
            "range_label": RANGES[self.range_name][0],
            "only": only,
            "buckets": buckets,
            "chart": chart(tallies),
            "total": total,
            "most": max(tally.requests for tally in tallies),
            "share": round(100 * total.ok / total.requests, 1) if total.requests else None,
            "results": [(RESULT_LABELS[Result(r)], n) for r, n in total.results.most_common()],
            "busiest": busiest,
            "unused": [(row.key, unused[row.key.pk]) for row in busiest if row.key.pk in unused],
            "is_hourly": period.interval is Interval.HOUR,
        }
        return self.render("apikeys/usage.html", context)


class UsageExport(UsagePage):
    """Usage as CSV, by hour, key and result."""

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "export"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Streams the rows while they are read."""
        place = begin_export(self.organization, what="usage", actor=self.actor)
        name = f"usage-{self.organization.slug}-{self.range_name}-{timezone.now():%Y-%m-%d}.csv"
        return csv_response(place, _rows(reports.rows(self.keys, self.period)), name)


def _busiest(keys: ApiKeyQuerySet, period: Period) -> list[KeyTally]:
    tallies = reports.busiest(keys, period, _MOST)
    keys_by_id = keys.in_bulk(list(tallies))
    return [KeyTally(keys_by_id[pk], tally) for pk, tally in tallies.items()]


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


def last_refusal(key: ApiKey) -> dict[str, Any] | None:
    """The hour and reason of the key's last rejected request, if any. Makes one query."""
    usage = reports.last_refusal(key)
    return {"hour": usage.hour, "reason": RESULT_LABELS[Result(usage.result)]} if usage else None
