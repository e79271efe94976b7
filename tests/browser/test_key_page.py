"""A key's page in the browser: editing in place, its chart, and what dialogs change on it."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from django.contrib.sessions.backends.db import SessionStore

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization
from tests.browser.conftest import OpenPage
from tests.factories import PASSWORD, SYSTEM
from tests.pages.support import RECORDS, count_requests

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOCUSED = "document.activeElement"


def expire_sign_in(page: "Page") -> None:
    """Lets the sign-in be older than what giving permissions asks for."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    session = SessionStore(cookies["sessionid"])
    session[RECORDS] = [{**record, "at": record["at"] - 16 * 60} for record in session[RECORDS]]
    session.save()


@pytest.fixture
def key(make_key: Callable[..., Issued]) -> ApiKey:
    return make_key(name="Production", scopes=["search:read"]).key


@pytest.fixture
def opened(sign_in: OpenPage, key: ApiKey) -> Callable[..., "Page"]:
    """Opens the key's page."""

    def make(**how: object) -> "Page":
        page = sign_in(**how)
        page.goto(f"/o/acme/settings/developer/keys/{key.public_id}/")
        return page

    return make


@pytest.mark.parametrize("script", [True, False])
def test_a_field_is_edited_where_it_is_shown(
    opened: Callable[..., "Page"], key: ApiKey, script: bool
) -> None:
    page = opened(java_script_enabled=script)

    page.get_by_role("link", name="Edit description").click()
    page.get_by_role("textbox", name="Description").fill("Servers in eu-west")
    page.get_by_role("button", name="Save").click()

    page.get_by_text("Changes saved.").wait_for()
    assert page.get_by_text("Servers in eu-west").is_visible()
    key.refresh_from_db()
    assert key.description == "Servers in eu-west"
    if script:
        label = page.evaluate(f"{FOCUSED}.getAttribute('aria-label')")
        assert label == "Edit description"
        assert page.url.endswith(f"{key.public_id}/")


def test_a_new_name_is_everywhere(opened: Callable[..., "Page"]) -> None:
    page = opened()

    page.get_by_role("link", name="Edit name").click()
    page.get_by_role("textbox", name="Name").fill("Live")
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Live").wait_for()
    assert page.get_by_label("Breadcrumb").inner_text().endswith("Live")
    assert page.title() == "Live – Acme – Latchkey"
    assert page.get_by_text("renamed this key from “Production” to “Live”").is_visible()


def test_the_field_has_the_focus_and_escape_gives_up(opened: Callable[..., "Page"]) -> None:
    page = opened()

    page.get_by_role("link", name="Edit name").click()
    page.get_by_role("textbox", name="Name").wait_for()
    assert page.evaluate(f"{FOCUSED}.name") == "name"
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Edit name").wait_for()
    page.wait_for_function(f"{FOCUSED}.getAttribute('aria-label') === 'Edit name'")


def test_what_was_typed_is_not_lost_to_another_field(opened: Callable[..., "Page"]) -> None:
    page = opened()
    page.get_by_role("link", name="Edit name").click()
    page.get_by_role("textbox", name="Name").fill("Typed")

    page.keyboard.press("Escape")
    page.get_by_role("link", name="Edit expiry").click()

    page.get_by_text("Save or cancel your other change first.").wait_for()
    assert page.get_by_role("textbox", name="Name").input_value() == "Typed"
    assert page.evaluate(f"{FOCUSED}.name") == "name"


def test_what_is_wrong_is_said_in_the_row(opened: Callable[..., "Page"]) -> None:
    page = opened()
    page.get_by_role("link", name="Edit name").click()
    page.get_by_role("textbox", name="Name").fill("")
    page.get_by_role("button", name="Save").click()

    page.get_by_text("Enter a name for the key.").wait_for()
    page.wait_for_function(f"{FOCUSED}.name === 'name'")


def test_a_version_that_came_first_is_shown(opened: Callable[..., "Page"], key: ApiKey) -> None:
    page = opened()
    page.get_by_role("link", name="Edit name").click()
    page.get_by_role("textbox", name="Name").fill("Mine")
    services.update_api_key(key, actor=SYSTEM, changes={"name": "Theirs"})

    page.get_by_role("button", name="Save").click()
    page.get_by_text("Someone changed this key while you were editing.").wait_for()
    page.get_by_role("heading", name="Theirs").wait_for()
    page.get_by_role("button", name="Save").click()

    page.get_by_role("heading", name="Mine").wait_for()


def test_more_permissions_ask_for_the_password_first(
    opened: Callable[..., "Page"], key: ApiKey
) -> None:
    page = opened()
    page.get_by_role("link", name="Edit permissions").click()
    page.get_by_label("events:read").check()
    expire_sign_in(page)

    page.get_by_role("button", name="Save").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()

    page.locator("dialog:not([open])").wait_for(state="attached")
    page.get_by_text("2 of 5").wait_for()
    key.refresh_from_db()
    assert key.scopes == ["search:read", "events:read"]


def test_disabling_changes_the_page_around_it(opened: Callable[..., "Page"], key: ApiKey) -> None:
    page = opened()
    page.get_by_role("link", name="Disable").click()
    page.get_by_role("button", name="Disable key").click()

    page.get_by_text("This key is disabled.").wait_for()
    assert page.locator("#key-status").inner_text().strip() == "Disabled"
    assert page.get_by_role("link", name="Enable").is_visible()


def test_deleting_shows_the_key_as_deleted(opened: Callable[..., "Page"]) -> None:
    page = opened()
    page.get_by_role("link", name="Delete Production").click()
    page.get_by_role("button", name="Delete key").click()

    page.get_by_text("This key was deleted on").wait_for()
    assert page.locator("#key-status").inner_text().strip() == "Deleted"
    assert page.get_by_role("link", name="Rotate").count() == 0


@pytest.fixture
def charted(sign_in: OpenPage, key: ApiKey, acme: Organization) -> "Page":
    """The Usage page of seven days, with 1,200 requests today."""
    count_requests(key, 0, ok=1200, client_error=30)
    count_requests(key, 2, ok=1000)
    page = sign_in()
    page.goto("/o/acme/settings/developer/usage/")
    return page


def test_a_bars_numbers_are_shown_under_the_pointer(charted: "Page") -> None:
    page = charted
    tip = page.locator("[data-tip]")
    assert not tip.is_visible()

    page.locator("[data-bar]").last.hover()

    assert " ".join(tip.inner_text().split()).endswith("Successful 1,200 Errors 30 Rejected 0")
    page.get_by_role("heading", name="Developer").hover()
    tip.wait_for(state="hidden")


def test_a_bars_numbers_are_reached_with_the_keyboard(charted: "Page") -> None:
    page = charted
    page.locator("svg.chart").press("ArrowLeft")
    page.keyboard.press("ArrowLeft")

    tip = page.locator("[data-tip]")
    assert "1,000" in tip.inner_text()
    page.locator("#page-status").get_by_text("1,000 successful, 0 errors, 0 rejected").wait_for()
    page.keyboard.press("End")
    assert "1,200" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_filters_of_usage_apply_as_they_are_chosen(charted: "Page", key: ApiKey) -> None:
    page = charted
    page.get_by_label("Outcome", exact=True).select_option("Errors only")

    page.get_by_role("heading", name="Errors per day").wait_for()
    assert page.url.endswith("?range=7d&outcome=errors")
    assert page.evaluate(f"{FOCUSED}.name") in ("outcome", None)
    exported = page.get_by_role("link", name="Export CSV").get_attribute("href") or ""
    assert exported.endswith("export/?range=7d&outcome=errors")

    page.get_by_label("Key", exact=True).select_option("Production")
    page.get_by_text("Showing only").wait_for()
    assert f"key={key.public_id}" in page.url


def test_dates_on_the_axis_stay_apart_on_a_phone(
    sign_in: OpenPage, key: ApiKey, acme: Organization
) -> None:
    count_requests(key, 0, ok=3)
    page = sign_in(viewport={"width": 375, "height": 812})
    for asked in ("24h", "7d", "30d", "90d"):
        page.goto(f"/o/acme/settings/developer/usage/?range={asked}")
        boxes = [
            text.bounding_box()
            for text in page.locator("svg.chart text[text-anchor=middle]")
            .filter(visible=True)
            .all()
        ]
        edges = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
        assert len(edges) >= 3, asked
        assert all(end + 4 <= start for (_, end), (start, _) in pairwise(edges))
        assert edges[-1][1] <= 375
