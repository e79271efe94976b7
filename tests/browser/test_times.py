"""Times are shown in the reader's time zone, with UTC on hover and focus."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.timestamps import stamp
from organizations.models import Organization
from tests.browser.conftest import OpenPage
from tests.pages.support import developer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CREATED: Final = datetime.fromisoformat("2026-11-30T02:05:00+00:00")
#: Recent, so that the list says how long ago it was.
USED: Final = (timezone.now() - timedelta(days=3)).replace(second=0, microsecond=0)
NEW_YORK: Final = {"timezone_id": "America/New_York", "locale": "de-DE"}


@pytest.fixture
def key(acme: Organization, make_key: Callable[..., Issued]) -> ApiKey:
    key = make_key(name="Production").key
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(created_at=CREATED, last_used_at=USED)
    return key


def _time(page: "Page", moment: datetime, kind: str, within: str = "main") -> "Locator":
    selector = f'{within} time[datetime="{moment:%Y-%m-%dT%H:%M:%SZ}"][data-time="{kind}"]'
    return page.locator(selector).first


def _on_page_of(page: "Page", key: ApiKey) -> "Locator":
    page.goto(developer(key.organization, f"keys/{key.public_id}/"))
    time = _time(page, CREATED, "full")
    time.wait_for()
    return time


def test_a_moment_is_shown_in_the_readers_zone_and_format(sign_in: OpenPage, key: ApiKey) -> None:
    time = _on_page_of(sign_in(**NEW_YORK), key)

    assert time.inner_text() == "29 Nov 2026, 21:05"
    assert time.get_attribute("title") == "30 Nov 2026, 02:05 UTC"
    assert time.get_attribute("datetime") == "2026-11-30T02:05:00Z"


def test_the_focus_shows_utc(sign_in: OpenPage, key: ApiKey) -> None:
    page = sign_in(**NEW_YORK)
    time = _on_page_of(page, key)
    shown = """time => getComputedStyle(time, "::after").content"""

    assert time.evaluate(shown) == "none"
    page.keyboard.press("Tab")
    time.focus()
    assert time.evaluate(shown) == '"30 Nov 2026, 02:05 UTC"'


def test_days_and_distances_keep_the_moment_in_their_title(sign_in: OpenPage, key: ApiKey) -> None:
    page = sign_in(timezone_id="Asia/Kolkata")
    there = stamp(USED + timedelta(hours=5, minutes=30)).removesuffix(" UTC")

    used = page.locator(f'time[datetime="{USED:%Y-%m-%dT%H:%M:%SZ}"]').first
    assert used.get_attribute("title") == f"{there} ({stamp(USED)})"
    assert used.get_attribute("tabindex") is None


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("day", "30 Jun 2026"),
        ("short", "30 Jun, 20:30"),
        ("hour", "30 Jun 2026, 20:30–21:30"),
    ],
)
def test_dialogs_and_refreshed_lists_too(
    sign_in: OpenPage, key: ApiKey, kind: str, shown: str
) -> None:
    page = sign_in(**NEW_YORK)
    page.get_by_role("link", name="Delete Production").click()
    time = _time(page, CREATED, "day", within="#dialog")
    time.wait_for()
    assert time.inner_text() == "29 Nov 2026"
    page.keyboard.press("Escape")

    page.evaluate(
        """(kind) => {
          const time = document.createElement("time");
          time.dateTime = "2026-07-01T00:30:00Z";
          time.title = "1 Jul 2026, 00:30 UTC";
          time.dataset.time = kind;
          const row = document.createElement("p");
          row.id = "row";
          row.append(time);
          document.querySelector("main").append(row);
        }""",
        kind,
    )
    assert page.locator("#row time").inner_text() == shown


def test_a_reader_in_utc_sees_the_zone(sign_in: OpenPage, key: ApiKey) -> None:
    time = _on_page_of(sign_in(timezone_id="UTC"), key)

    assert time.inner_text() == "30 Nov 2026, 02:05 UTC"


def test_without_scripts_times_are_in_utc(sign_in: OpenPage, key: ApiKey) -> None:
    time = _on_page_of(sign_in(**NEW_YORK, java_script_enabled=False), key)

    assert time.inner_text() == "30 Nov 2026, 02:05 UTC"
