"""The start page shows figures that lead to the rows behind them, at a bounded cost."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeySecret, KeyUsage
from apikeys.services import Issued
from apikeys.usage import overview
from core import transactions
from organizations import services
from organizations.models import Organization
from tests.admin.conftest import BrowserOf
from tests.admin.support import text
from tests.factories import SYSTEM, IssuedKeyFactory

MakeKey = Callable[..., Issued]
WORDS: Final = (
    "Keys expiring in 7 days",
    "Keys expiring in 30 days",
    "Keys with rejected requests today",
    "Keys with an old secret used in 7 days",
    "Organizations with API access off",
)


def _figures(browser: Client) -> dict[str, tuple[str, str]]:
    """What the figures say → their number and where they lead."""
    cache.clear()
    shown = text(browser.get("/admin/"))
    found = re.findall(r'<a href="(/admin/\S+?)"[^>]*> <b>([\d,+]+)</b> <span>(.+?)</span>', shown)
    return {words: (number, url.replace("&amp;", "&")) for url, number, words in found}


@pytest.fixture
def troubled(make_key: MakeKey, acme: Organization, globex: Organization) -> None:
    """One row for each figure, and others that must not be counted."""
    now = timezone.now()
    moments = {"six": {"expires_at": 6}, "twenty": {"expires_at": 20}, "later": {"expires_at": 40}}
    moments["gone"] = {"expires_at": 3, "revoked_at": -1}
    for name, days in moments.items():
        key = make_key(name=name).key
        with transactions.allowed():
            ApiKey.objects.filter(pk=key.pk).update(
                **{field: now + timedelta(days=number) for field, number in days.items()}
            )
    refused, earlier, retired = (make_key(name=n).key for n in ("refused", "earlier", "retired"))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for key, hour, result in (
        (refused, midnight, "rate_limited"),
        (refused, midnight, "key_expired"),
        (earlier, midnight - timedelta(hours=1), "rate_limited"),
        (retired, midnight, "ok"),
    ):
        KeyUsage.objects.create(key=key, hour=hour, result=result, requests=3)
    with transactions.allowed():
        ApiKeySecret.objects.filter(key=retired).update(misused_at=now - timedelta(days=6))
        ApiKeySecret.objects.filter(key=earlier).update(misused_at=now - timedelta(days=8))
    services.set_api_access(globex, enabled=False, actor=SYSTEM)


def test_each_figure_is_the_number_of_rows_that_it_leads_to(
    browser: Client, troubled: None
) -> None:
    figures = _figures(browser)

    assert tuple(figures) == WORDS
    assert [number for number, _ in figures.values()] == ["1", "2", "1", "1", "1"]
    names = [
        sorted(str(row) for row in browser.get(url).context["cl"].queryset)
        for _, url in figures.values()
    ]
    assert names == [["six"], ["six", "twenty"], ["refused"], ["retired"], ["Globex"]]


def test_figures_are_made_at_most_once_a_minute_and_cost_one_query_each(
    browser: Client, manager: Issued
) -> None:
    cache.clear()

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get("/admin/").status_code == 200
        return [query["sql"] for query in captured if "LIMIT 1001" in query["sql"]]

    assert [len(queries()), len(queries())] == [len(overview.Figure), 0]


def test_many_rows_are_not_counted_to_the_end(
    browser: Client, monkeypatch: pytest.MonkeyPatch, troubled: None
) -> None:
    monkeypatch.setattr(overview, "MOST", 1)

    assert _figures(browser)["Keys expiring in 30 days"][0] == "1+"


@pytest.mark.parametrize(
    ("permission", "shown"),
    [("view_apikey", WORDS[:4]), ("view_organization", WORDS[4:]), ("view_user", ())],
)
def test_staff_see_figures_of_lists_that_they_may_see(
    clerk_with: BrowserOf, permission: str, shown: tuple[str, ...]
) -> None:
    IssuedKeyFactory.create()

    assert tuple(_figures(clerk_with(permission))) == shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("refused=today", {"refused"}),
        ("refused=7", {"refused", "earlier"}),
        ("refused=nonsense", None),
        ("unusual=retired", {"retired"}),
        ("unusual=nonsense", None),
    ],
)
def test_the_filters_find(
    browser: Client, troubled: None, query: str, names: set[str] | None
) -> None:
    found = browser.get(f"/admin/apikeys/apikey/?{query}").context["cl"].queryset

    everything = set(ApiKey.objects.values_list("name", flat=True))
    assert {key.name for key in found} == (everything if names is None else names)
