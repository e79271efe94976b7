"""Pages while too many requests wait, and how long their own work counts."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from apikeys.models import ApiKey
from apikeys.pages.activity import filters
from apikeys.pages.csv_export import HeldLines
from apikeys.services import Issued
from core import bulkheads
from organizations.models import Organization, User
from tests.pages.support import developer, html, sign_in
from tests.reliability.faults.trail import fill_trail
from tests.support.domain import SECRET

EXPORTS = ["activity/export/", "keys/export/", "usage/export/"]


def alert(answer: Any) -> str:
    """The page, which asks to come back later."""
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    page: str = html(answer)
    return page


@pytest.fixture
def two_searches(acme: Organization, bulkheads_of_four: None) -> Iterator[list[bulkheads.Place]]:
    """Searches of the organization in this process, which has room for more of others."""
    bulkheads.limit(8)
    taken = [bulkheads.Place("search", acme.pk) for _ in range(2)]
    yield taken
    for place in taken:
        place.release()


@pytest.mark.parametrize("query", ["actor=Ada", "q=CI"])
def test_a_search_beside_another_one_is_refused_with_what_was_typed(
    browser: Client, acme: Organization, two_searches: list[bulkheads.Place], query: str
) -> None:
    page = alert(browser.get(developer(acme, f"activity/?{query}")))

    assert "Too many searches are in progress. Try again in 2 seconds." in page
    assert f'href="{developer(acme, f"activity/?{query}")}"' in page
    assert bulkheads.taken() == len(two_searches)


def test_a_refused_search_costs_no_page_in_the_layout(
    browser: Client, acme: Organization, two_searches: list[bulkheads.Place]
) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = alert(browser.get(developer(acme, "activity/?actor=Ada")))

    assert len(queries) <= 4, [query["sql"] for query in queries]
    assert 'aria-label="Settings"' not in page


def test_a_refusal_repeats_no_secret(
    browser: Client, acme: Organization, no_place_free: None
) -> None:
    page = alert(browser.get(developer(acme, f"activity/?actor={SECRET}"), follow=True))

    assert SECRET not in page
    assert f'href="{developer(acme, f"activity/?actor={SECRET[:13]}")}"' in page


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "activity/?actor=Ada"), ("post", "test/"), *(("get", path) for path in EXPORTS)],
)
@pytest.mark.django_db
def test_where_there_is_no_place_at_all_it_is_told_without_a_query(
    browser: Client, acme: Organization, no_place_free: None, method: str, path: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = alert(getattr(browser, method)(developer(acme, path)))

    assert len(queries) == 0
    assert "<h1>Too many requests</h1>" in page


@pytest.mark.parametrize(
    "query", ["", "?kind=api_key", "?since=2026-01-01", "?q=key_0000000000000000000042"]
)
def test_what_an_index_finds_needs_no_place(
    browser: Client, acme: Organization, no_place_free: None, query: str
) -> None:
    assert browser.get(developer(acme, f"activity/{query}")).status_code == 200


def test_exports_of_what_no_index_finds_share_the_pace_of_searches(
    browser: Client, acme: Organization
) -> None:
    for path in ["activity/?actor=Ada", "activity/export/?actor=Ada"] * 15:
        answer: Any = browser.get(developer(acme, path))
        assert answer.status_code == 200
        list(getattr(answer, "streaming_content", ()))

    alert(browser.get(developer(acme, "activity/?actor=Ada")))
    alert(browser.get(developer(acme, "activity/export/?q=CI")))
    whole: Any = browser.get(developer(acme, "activity/export/"))
    assert whole.status_code == 200
    assert len(list(whole.streaming_content)) == 1


def test_who_searches_on_instead_of_waiting_is_refused_without_a_query(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.pages.activity.views._SEARCHES", "1/hour")
    for _ in range(2):
        browser.get(developer(acme, "activity/?actor=Ada"))

    for path in ["activity/?actor=Max", "activity/?q=CI", "activity/export/?actor=Ada"]:
        with CaptureQueriesContext(connection) as queries:
            page = alert(browser.get(developer(acme, path)))
        assert len(queries) == 0
        assert "Too many attempts. Try again in" in page
    assert browser.get(developer(acme, "activity/")).status_code == 200


def test_waiting_ends_with_the_window_and_is_of_one_session(
    browser: Client, acme: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.pages.activity.views._SEARCHES", "1/hour")
    for _ in range(2):
        answer = browser.get(developer(acme, "activity/?actor=Ada"))
    assert answer.status_code == 429
    monkeypatch.setattr("apikeys.pages.activity.views._SEARCHES", "9/hour")

    assert sign_in(admin).get(developer(acme, "activity/?actor=Ada")).status_code == 200
    later = time.monotonic() + int(answer.headers["Retry-After"])
    monkeypatch.setattr("core.cooldowns.time.monotonic", lambda: later)
    assert browser.get(developer(acme, "activity/?actor=Ada")).status_code == 200


def test_an_export_rests_after_each_query_even_without_a_hit(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    monkeypatch.setattr(filters, "SEARCHED", 10)
    monkeypatch.setattr("apikeys.pages.csv_export.time.sleep", rests.append)
    fill_trail(acme, 100)

    answer: Any = browser.get(developer(acme, "activity/export/?actor=no-such-person"))
    lines = b"".join(answer.streaming_content).splitlines()

    assert len(lines) == 1
    assert len(rests) >= 10
    assert all(0 <= rest <= 0.1 for rest in rests)


@pytest.mark.parametrize("path", EXPORTS)
def test_an_export_is_refused_as_a_page(
    browser: Client, acme: Organization, no_place_free: None, path: str
) -> None:
    page = alert(browser.get(developer(acme, path)))

    assert "Too many exports are in progress. Try again in 5 seconds." in page
    assert "<h1>Too many requests</h1>" in page


@pytest.mark.parametrize("path", EXPORTS)
def test_an_export_has_its_place_until_its_last_line(
    browser: Client, acme: Organization, bulkheads_of_four: None, path: str
) -> None:
    answer: Any = browser.get(developer(acme, path))
    assert bulkheads.taken() == 1
    alert(browser.get(developer(acme, path)))

    assert len(list(answer.streaming_content)) >= 1

    assert bulkheads.taken() == 0


@pytest.mark.parametrize("path", EXPORTS)
def test_a_closed_export_gives_its_place_back(
    browser: Client, acme: Organization, bulkheads_of_four: None, path: str
) -> None:
    browser.get(developer(acme, path)).close()

    assert bulkheads.taken() == 0


@pytest.mark.parametrize("path", EXPORTS)
def test_the_head_of_an_export_keeps_no_place(
    browser: Client, acme: Organization, bulkheads_of_four: None, path: str
) -> None:
    browser.head(developer(acme, path)).close()

    assert bulkheads.taken() == 0


def test_lines_that_fail_give_the_place_back(bulkheads_of_four: None) -> None:
    def lines() -> Iterator[str]:
        yield from ["line"] * 100
        raise ZeroDivisionError

    held = HeldLines(lines(), bulkheads.Place("export", uuid4()))

    assert next(held) == "line" * 100
    assert bulkheads.taken() == 1
    with pytest.raises(ZeroDivisionError):
        next(held)
    assert bulkheads.taken() == 0


def test_a_test_call_is_refused_before_it_is_made_or_counted(
    browser: Client, acme: Organization, settings: Settings, no_place_free: None
) -> None:
    settings.API_BASE_URL = "http://127.0.0.1:9"

    pages = [alert(browser.post(developer(acme, "test/"), {"key": SECRET})) for _ in range(15)]

    assert all("Too many tests are in progress. Try again in 5 seconds." in page for page in pages)


def test_a_test_call_gives_its_place_back(
    browser: Client, acme: Organization, settings: Settings, bulkheads_of_four: None
) -> None:
    settings.API_BASE_URL = "http://127.0.0.1:9"

    answer = browser.post(developer(acme, "test/"), {"key": SECRET})

    assert answer.status_code == 200
    assert bulkheads.taken() == 0


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("keys/delete/", {"key": "{id}"}),
        ("keys/disable/", {"key": "{id}"}),
        ("keys/{id}/switch/", {"enabled": "no"}),
        ("keys/{id}/edit/?field=scopes", {"scopes": "search:read"}),
        ("keys/{id}/rotate/", {"grace": "0", "submission": "{uuid}"}),
    ],
)
def test_a_change_that_cannot_wait_is_refused_with_its_page(
    browser: Client,
    acme: Organization,
    reader: Issued,
    no_place_free: None,
    path: str,
    form: dict[str, str],
) -> None:
    known = {"id": reader.key.public_id, "uuid": uuid4()}
    sent = {name: value.format(**known) for name, value in form.items()}

    page = alert(browser.post(developer(acme, path.format(**known)), sent))

    assert "Too many changes are in progress. Try again in 1 second" in page
    assert f"{reader.key.name}" in page
    assert ApiKey.objects.get().updated_at == reader.key.updated_at
