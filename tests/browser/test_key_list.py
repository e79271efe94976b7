"""The key list and a key's page: menus, dialogs and failures."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from organizations.services import set_key_limit
from tests.browser.conftest import OpenPage
from tests.factories import SYSTEM

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUERY = re.compile(r"/settings/developer/\?")
FOCUSED = "document.activeElement"


@pytest.fixture
def listed(sign_in: OpenPage, make_key: Callable[..., Issued]) -> "Page":
    """The list with one key in it."""
    make_key(name="Production")
    page = sign_in()
    page.get_by_role("cell", name="Production").first.wait_for()
    return page


def _choose(page: "Page", name: str) -> None:
    page.locator("summary", has=page.locator("svg")).and_(
        page.get_by_label("More for Production")
    ).click()
    page.get_by_role("link", name=name, exact=True).click()


def test_a_key_is_renamed_from_its_row_by_keyboard_alone(listed: "Page") -> None:
    page = listed
    page.get_by_label("More for Production").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Edit “Production”").wait_for()

    page.keyboard.press("Escape")
    assert page.evaluate(f"{FOCUSED}.getAttribute('aria-label')") == "More for Production"

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).fill("Shop")
    page.keyboard.press("Enter")

    page.locator("#page-status", has_text="Changes saved.").wait_for()
    page.get_by_role("link", name="Shop", exact=True).wait_for()
    assert page.evaluate(f"{FOCUSED}.id") == "keys-heading"


def test_a_key_is_disabled_from_its_row(listed: "Page") -> None:
    page = listed

    _choose(page, "Disable")
    page.get_by_role("button", name="Disable key").click()

    page.locator("#page-status", has_text="Key Production disabled.").wait_for()
    page.get_by_role("cell", name="Disabled").wait_for()


def test_a_menu_closes_as_menus_do(listed: "Page") -> None:
    page = listed
    summary, link = page.get_by_label("More for Production"), page.locator(".panel a[href*=rotate]")

    summary.click()
    assert link.is_visible()
    page.keyboard.press("Escape")
    assert not link.is_visible()
    summary.click()
    page.get_by_role("heading", name="API keys").click()
    assert not link.is_visible()


def test_the_key_id_is_copied(sign_in: OpenPage, make_key: Callable[..., Issued]) -> None:
    key = make_key(name="Production").key
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))

    page.get_by_label("More for Production").click()
    page.get_by_role("button", name="Copy key ID").click()

    page.locator("#page-status", has_text="Key ID copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == key.public_id


def test_rotating_on_the_keys_own_page(listed: "Page") -> None:
    page = listed
    page.get_by_role("link", name="Production", exact=True).click()
    page.get_by_role("link", name="Rotate").click()
    page.get_by_label("1 hour").check()
    page.get_by_role("button", name="Rotate key").click()

    secret = page.get_by_label("Secret key").input_value()
    page.get_by_text("The old secret works until").wait_for()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Close without copying").click()

    page.locator("#page-status", has_text="Key Production rotated.").wait_for()
    page.get_by_text("A rotation is under way.").wait_for()
    page.get_by_text("It was never used.").wait_for()
    assert secret not in page.content()
    assert page.evaluate(f"{FOCUSED}.tagName") == "H1"


def test_a_list_that_cannot_be_fetched_says_so_and_is_fetched_again(listed: "Page") -> None:
    page = listed
    page.route(QUERY, lambda route: route.fulfill(status=503, body="away"))
    page.get_by_label("Search keys by name, prefix or ID").fill("Prod")

    page.locator("#page-status", has_text="We couldn't load your keys. Try again.").wait_for()
    assert page.get_by_role("link", name="Production", exact=True).is_visible()

    page.unroute(QUERY)
    page.get_by_role("button", name="Retry").click()
    page.locator("#keys:not([aria-busy])").wait_for()
    assert page.evaluate(f"{FOCUSED}.id") == "keys-heading"


def test_whoever_is_offline_is_told(listed: "Page") -> None:
    page = listed

    page.context.set_offline(True)
    page.get_by_text("You are offline.").wait_for()
    page.context.set_offline(False)

    page.get_by_text("You are offline.").wait_for(state="hidden")


def test_at_the_limit_of_keys_the_button_does_nothing_until_one_is_deleted(
    listed: "Page", acme: Organization
) -> None:
    set_key_limit(acme, limit=2, actor=SYSTEM)
    page = listed
    button = page.get_by_role("link", name="Create API key")
    sentence = page.get_by_text("This organization has reached its limit of 2 keys.")

    button.click()
    page.get_by_label("Name", exact=True).fill("Second")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Close without copying").click()
    sentence.wait_for()
    button.click(force=True)
    button.focus()
    page.keyboard.press("Enter")

    assert button.evaluate("(link) => link === document.activeElement")
    assert button.get_attribute("aria-disabled") == "true"
    assert not page.locator("dialog[open]").count()

    page.get_by_role("link", name="Delete Second").click()
    page.get_by_role("button", name="Delete key").click()
    sentence.wait_for(state="detached")
    button.click()
    page.locator("dialog[open]").get_by_label("Name", exact=True).wait_for()


def test_a_list_that_has_not_heard_of_the_limit_shows_it_in_the_dialog(
    listed: "Page", acme: Organization
) -> None:
    set_key_limit(acme, limit=1, actor=SYSTEM)
    page, dialog = listed, listed.locator("dialog[open]")

    page.get_by_role("link", name="Create API key").click()
    dialog.get_by_text("This organization has reached its limit of 1 key.").wait_for()
    dialog.get_by_role("button", name="Back to keys").click()

    assert not dialog.count()


def test_a_whole_secret_never_leaves_the_browser(
    listed: "Page", make_key: Callable[..., Issued]
) -> None:
    issued, sent = make_key(name="Shop"), list[str]()
    page = listed
    page.on("request", lambda request: sent.append(request.url))

    page.get_by_label("Search keys by name, prefix or ID").fill(issued.secret)

    page.locator("#page-status", has_text="Only its prefix is searched for.").wait_for()
    page.get_by_role("link", name="Shop", exact=True).wait_for()
    page.get_by_role("link", name="Production", exact=True).wait_for(state="detached")
    assert f"q={issued.key.key_prefix}" in page.url
    assert sent
    assert not [url for url in sent if issued.secret in url]
