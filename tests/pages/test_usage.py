"""Usage on the pages: the tab, the CSV file, the list's bars, the delete page, unused scopes."""

import csv
import re
from datetime import UTC, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey, KeyUsage, ScopeUse
from apikeys.pages.usage import views as usage_pages
from apikeys.pages.usage.charts import bar_chart, chart
from apikeys.pages.usage.tiles import tiles
from apikeys.pages.usage.views import RESULT_LABELS
from apikeys.services import Issued
from apikeys.usage.key_request import Result
from apikeys.usage.reports import Bucket, Interval, Period, Tally
from core import transactions
from organizations.models import Organization
from tests.pages.support import count_requests, developer
from tests.support.api import MakeKey


def _text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def _make_older(key: ApiKey, days: int = 100) -> None:
    with transactions.allowed():
        past = timezone.now() - timedelta(days=days)
        ApiKey.objects.filter(pk=key.pk).update(created_at=past)


@pytest.fixture
def busy(make_key: MakeKey, foreigner: Issued) -> Issued:
    issued = make_key(name="Busy")
    count_requests(issued.key, 0, ok=1200, rate_limited=12, client_error=3)
    count_requests(issued.key, 5, ok=100)
    count_requests(issued.key, 20, ok=4)
    count_requests(make_key(name="Quiet").key, 0, ok=7)
    count_requests(foreigner.key, 0, ok=999_999)
    return issued


def test_totals_keys_and_outcomes(browser: Client, acme: Organization, busy: Issued) -> None:
    page = browser.get(developer(acme, "usage/"))

    text = _text(page)
    assert "Requests 1,322 No earlier 7 days to compare" in text
    assert "Successful 98.9% Errors 3 Rejected 12" in text
    assert "Busy 1,315 98.9% 3 12 Never Quiet 7 100% 0 0 Never" in text
    assert "Rate limited 12" in text
    assert "999" not in text
    assert 'aria-label="1,322 requests in 7 days, 12 rejected"' in page.content.decode()


@pytest.mark.parametrize(
    ("asked", "requests", "bars"),
    [("24h", "1,222", 24), ("7d", "1,322", 7), ("30d", "1,326", 30), ("90d", "1,326", 90)],
)
def test_ranges(
    browser: Client, acme: Organization, busy: Issued, asked: str, requests: str, bars: int
) -> None:
    page = browser.get(developer(acme, f"usage/?range={asked}"))

    assert f"Requests {requests} " in _text(page)
    assert page.content.decode().count("data-bar=") == bars
    assert page.content.decode().count('<tr role="row">') == 1 + bars + 1 + 2


def test_one_key_alone(browser: Client, acme: Organization, busy: Issued) -> None:
    page = browser.get(developer(acme, f"usage/?key={busy.key.public_id}&range=30d"))

    assert "Requests 1,319 " in _text(page)
    assert "Showing only Busy" in _text(page)


def test_changes_against_the_same_span_before(
    browser: Client, acme: Organization, make_key: MakeKey
) -> None:
    key = make_key(name="Busy").key
    count_requests(key, 1, ok=110, client_error=10)
    count_requests(key, 10, ok=80, client_error=20)
    count_requests(key, 20, ok=999)
    _make_older(key)

    text = _text(browser.get(developer(acme, "usage/")))

    assert "Requests 120 Up 20.0% vs. previous 7 days" in text
    assert "Successful 91.7% Up 11.7 pts vs. previous 7 days" in text
    assert "Errors 10 Down 50.0% vs. previous 7 days" in text
    assert "Rejected 0 No change vs. previous 7 days" in text


def test_a_young_key_is_not_compared(
    browser: Client, acme: Organization, make_key: MakeKey
) -> None:
    """Ten days of use are no measure for the seven days before the last seven."""
    key = make_key(name="Busy").key
    _make_older(key, days=10)
    count_requests(key, 1, ok=110)
    count_requests(key, 9, ok=80)

    text = _text(browser.get(developer(acme, "usage/")))

    assert "No earlier 7 days to compare" in text
    assert "vs. previous" not in text


def test_errors_only(browser: Client, acme: Organization, busy: Issued, make_key: MakeKey) -> None:
    """The bars and the keys are those of the errors; the totals stay."""
    count_requests(make_key(name="Failing").key, 0, server_error=40)

    page = browser.get(developer(acme, "usage/?outcome=errors"))

    text = _text(page)
    assert [row.key.name for row in page.context["busiest"]] == ["Failing", "Busy"]
    assert {part.kind for bar in page.context["chart"].bars for part in bar.segments} == {"failed"}
    assert "Errors per day" in text
    assert "Peak: 43 requests per day" in text
    assert "Requests 1,362 " in text
    assert page.context["results"] == [("Server errors (5xx)", 40), ("Client errors (4xx)", 3)]


def test_an_outcome_that_did_not_occur(browser: Client, acme: Organization, busy: Issued) -> None:
    KeyUsage.objects.filter(result="rate_limited").delete()

    text = _text(browser.get(developer(acme, "usage/?outcome=rejected")))

    assert "No requests with this outcome in this period." in text


def test_the_filters_are_kept_in_the_links(
    browser: Client, acme: Organization, busy: Issued
) -> None:
    chosen = f"key={busy.key.public_id}&amp;outcome=errors"

    page = browser.get(developer(acme, f"usage/?range=24h&{chosen.replace('&amp;', '&')}"))

    text = page.content.decode()
    for name in usage_pages.RANGES:
        assert f'href="?range={name}&amp;{chosen}"' in text
    assert f'usage/export/?range=24h&amp;{chosen}"' in text
    assert 'href="?range=24h&amp;outcome=errors">Show all keys' in text
    assert f'<option value="{busy.key.public_id}" selected>' in " ".join(text.split())


def test_the_file_has_the_chosen_outcome_alone(
    browser: Client, acme: Organization, busy: Issued
) -> None:
    response = browser.get(developer(acme, "usage/export/?outcome=rejected"))

    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(content)))
    assert [(row["Result"], row["Requests"]) for row in rows] == [("rate_limited", "12")]


@pytest.mark.parametrize(
    "query", ["range=week", "range=%00x", "key=nonsense", "key=", "outcome=odd"]
)
def test_what_makes_no_sense_counts_as_not_said(
    browser: Client, acme: Organization, busy: Issued, query: str
) -> None:
    page = browser.get(developer(acme, f"usage/?{query}"))

    assert page.status_code in (200, 400)
    assert page.status_code == 400 or "Requests 1,322 " in _text(page)


def test_keys_of_others_show_nothing(
    browser: Client, acme: Organization, busy: Issued, foreigner: Issued
) -> None:
    page = browser.get(developer(acme, f"usage/?key={foreigner.key.public_id}"))

    assert "No requests in this period." in _text(page)
    assert "999" not in _text(page)


def test_the_busiest_keys_are_listed_and_no_more(
    browser: Client,
    acme: Organization,
    busy: Issued,
    make_key: MakeKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count_requests(make_key(name="Middling").key, 0, ok=90, client_error=9)
    monkeypatch.setattr(usage_pages, "_MOST", 2)

    text = _text(browser.get(developer(acme, "usage/")))

    assert "Busy 1,315 98.9% 3 12 Never Middling 99 90.9% 9 0 Never" in text
    assert "Quiet" not in text
    assert "Requests 1,421" in text


def test_nothing_was_counted(browser: Client, acme: Organization) -> None:
    assert "No requests in this period." in _text(browser.get(developer(acme, "usage/")))


def test_the_file_adds_up_and_starts_no_formula(
    browser: Client, acme: Organization, busy: Issued, make_key: MakeKey
) -> None:
    count_requests(make_key(name="=cmd()").key, 0, ok=1)

    response = browser.get(developer(acme, "usage/export/?range=30d"))

    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(content)))
    assert response["Content-Disposition"].startswith('attachment; filename="usage-acme-30d-')
    assert sum(int(row["Requests"]) for row in rows) == 1327
    assert {row["Key"] for row in rows} == {"Busy", "Quiet", "'=cmd()"}
    assert "999999" not in content


def test_the_list_draws_thirty_days_of_used_keys(
    browser: Client, acme: Organization, busy: Issued, make_key: MakeKey
) -> None:
    make_key(name="Idle")
    with transactions.allowed():
        ApiKey.objects.filter(pk=busy.key.pk).update(last_used_at=timezone.now())

    page = browser.get(developer(acme)).content.decode()

    assert 'aria-label="Busy: 1,319 requests in 30 days, 12 rejected"' in page
    assert page.count('class="spark"') == 1
    assert 'viewBox="0 0 300 100"' in page


def test_the_delete_page_says_how_many_requests_there_were(
    browser: Client, acme: Organization, busy: Issued
) -> None:
    page = browser.get(developer(acme, f"keys/{busy.key.public_id}/delete/"))

    assert "Last 7 days 1,315 requests, 12 rejected" in _text(page)


# --- Scopes that nobody uses ---


@pytest.fixture
def old(make_key: MakeKey) -> ApiKey:
    """A key of two scopes that has been watched for 100 days; one scope was used last week."""
    key = make_key(name="Old", scopes=["search:read", "events:read"]).key
    with transactions.allowed():
        past = timezone.now() - timedelta(days=120)
        ApiKey.objects.filter(pk=key.pk).update(created_at=past)
    count_requests(key, 100, ok=1)
    count_requests(key, 1, ok=1)
    week_ago = (timezone.now() - timedelta(days=7)).date()
    ScopeUse.objects.create(key=key, scope="search:read", last_used_on=week_ago)
    return key


HINT = "Not used for 90 days: events:read ."  # the text of tags that end before the full stop


def test_scopes_that_a_key_does_not_use_are_pointed_out(
    browser: Client, acme: Organization, old: ApiKey
) -> None:
    detail = _text(browser.get(developer(acme, f"keys/{old.public_id}/")))
    usage = _text(browser.get(developer(acme, "usage/")))

    assert HINT in detail
    assert "Unused permissions" in usage


@pytest.mark.parametrize("reason", ["young", "not watched", "used"])
def test_nobody_is_accused_without_a_reason(
    browser: Client, acme: Organization, old: ApiKey, reason: str
) -> None:
    if reason == "young":
        with transactions.allowed():
            ApiKey.objects.filter(pk=old.pk).update(created_at=timezone.now())
    elif reason == "not watched":
        KeyUsage.objects.filter(hour__lt=timezone.now() - timedelta(days=50)).delete()
    else:
        today = timezone.now().date()
        ScopeUse.objects.create(key=old, scope="events:read", last_used_on=today)

    assert HINT not in _text(browser.get(developer(acme, f"keys/{old.public_id}/")))


# --- Bars ---


def test_bars_are_stacked_and_the_highest_fills_the_height() -> None:
    tallies = [Tally(), Tally(), Tally()]
    tallies[0].results.update({"ok": 50, "rate_limited": 50})
    tallies[2].results.update({"ok": 1})

    drawn = chart(tallies)

    assert drawn.width == 30
    assert [(p.kind, p.x, p.y, p.height) for p in drawn.parts] == [
        ("ok", 1, 50.0, 50.0),
        ("refused", 1, 0.0, 50.0),
        ("ok", 21, 98.0, 2),
    ]


def _drawn(*counts: dict[str, int]) -> Any:
    start = timezone.now().replace(year=2026, month=11, day=1, hour=0, minute=0)
    buckets = []
    for day, results in enumerate(counts):
        tally = Tally()
        tally.results.update(results)
        buckets.append(Bucket(start + timedelta(days=day), tally))
    return bar_chart(buckets, Interval.DAY)


@pytest.mark.parametrize(
    ("peak", "labels"),
    [
        (1, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (7, ["0", "2", "4", "6", "8"]),
        (96, ["0", "25", "50", "75", "100"]),
        (5_900, ["0", "2k", "4k", "6k"]),
        (9_520, ["0", "2.5k", "5k", "7.5k", "10k"]),
        (3_100_000, ["0", "1M", "2M", "3M", "4M"]),
    ],
)
def test_the_axis_has_round_numbers_and_room_for_the_peak(peak: int, labels: list[str]) -> None:
    drawn = _drawn({"ok": peak})

    assert [line.label for line in drawn.lines] == labels
    assert drawn.lines[0].y == drawn.bottom
    assert drawn.lines[-1].y == 8


def test_the_smallest_part_is_visible_and_no_bar_leaves_the_chart() -> None:
    drawn = _drawn({"ok": 99_998, "client_error": 1, "rate_limited": 1})

    ok, failed, refused = drawn.bars[0].segments
    assert (failed.kind, failed.height) == ("failed", 2)
    assert (refused.kind, refused.height) == ("refused", 2)
    assert ok.y - (failed.y + failed.height) == 1, "a gap"
    assert refused.y == 8
    assert ok.y + ok.height == drawn.bottom


@pytest.mark.parametrize(
    "counts",
    [
        {"ok": 40, "client_error": 1, "rate_limited": 1},
        {"ok": 500, "client_error": 500, "rate_limited": 1},
        {"ok": 1, "client_error": 30_000, "rate_limited": 20_000},
        {"ok": 700, "client_error": 700, "rate_limited": 700},
        {"client_error": 3},
    ],
)
def test_a_bar_is_as_high_as_its_total(counts: dict[str, int]) -> None:
    drawn = _drawn({"ok": 60_000}, counts)

    parts = drawn.bars[1].segments
    exact = (drawn.bottom - 8) * sum(counts.values()) / 60_000
    assert abs(drawn.bottom - parts[-1].y - max(exact, len(parts), 2)) <= 0.5
    assert all(part.height >= 1 for part in parts)
    assert all(above.y + above.height <= below.y for below, above in pairwise(parts))


def test_dates_on_the_axis_leave_room_for_each_other() -> None:
    drawn = _drawn(*[{"ok": 1}] * 30)

    assert [date.label for date in drawn.dates][:3] == ["1 Nov", "5 Nov", "9 Nov"]
    assert [date.is_minor for date in drawn.dates][:3] == [False, True, False]
    assert drawn.bars[17].label == "18 Nov 2026"


def test_a_period_is_compared_with_as_much_of_the_one_before() -> None:
    """Today isn't over: the seven days before end at the same time of day."""
    period = Period.last(7, Interval.DAY)
    hour = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)

    before = period.previous

    assert before.start == period.start - timedelta(days=7)
    assert before.end == hour + timedelta(hours=1) - timedelta(days=7)


def test_changes_from_nothing_and_beyond_measure() -> None:
    now, before = Tally(), Tally()
    now.results.update({"ok": 99_999, "client_error": 5})
    before.results.update({"ok": 1})

    requests, successful, errors, rejected = tiles(now, before)

    assert (requests.change, requests.has_risen, requests.is_good) == ("over 999%", True, None)
    assert (successful.value, successful.is_good) == ("99.9%", False), "not all of them"
    assert (errors.change, errors.has_risen, errors.is_good) == ("5", True, False)
    assert rejected.change == ""


def test_every_result_has_words() -> None:
    assert set(RESULT_LABELS) == set(Result)
