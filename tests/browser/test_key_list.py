"""The key list and a key's page: menus, dialogs and failures."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from organizations.models import Organization, User
from organizations.services import set_key_limit
from tests.browser.conftest import OpenPage
from tests.factories import SYSTEM
from tests.pages.support import add_many_keys

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
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Edit “Production”").wait_for()

    page.keyboard.press("Escape")
    assert page.evaluate(f"{FOCUSED}.getAttribute('aria-label')") == "More for Production"

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).fill("Shop")
    page.keyboard.press("Enter")

    page.locator("#page-status", has_text="Changes saved.").wait_for()
    page.get_by_role("link", name="Shop", exact=True).wait_for()
    assert page.evaluate(f"{FOCUSED}.id") == "keys-heading"


def test_a_key_is_disabled_from_its_row(listed: "Page") -> None:
    page = listed

    _choose(page, "Disable…")
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
    page.get_by_role("heading", name="Developer").click()
    assert not link.is_visible()


def test_arrow_keys_walk_through_a_menu(listed: "Page") -> None:
    page = listed
    summary = page.get_by_label("More for Production")
    entry = f"{FOCUSED}.textContent.trim()"
    summary.focus()

    page.keyboard.press("ArrowDown")
    walked = [page.evaluate(entry)]
    for key in ("ArrowDown", "ArrowUp", "ArrowUp", "Home", "End", "ArrowDown"):
        page.keyboard.press(key)
        walked.append(page.evaluate(entry))

    assert walked == ["Rotate…", "Edit", "Rotate…", "Delete…", "Rotate…", "Delete…", "Rotate…"]
    page.keyboard.press("Escape")
    assert summary.evaluate(f"(summary) => summary === {FOCUSED}")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(entry) == "Delete…"


def test_a_menu_closes_when_the_focus_leaves_it(listed: "Page") -> None:
    page = listed
    page.get_by_label("More for Production").focus()
    page.keyboard.press("ArrowUp")
    assert page.locator(".menu.end[open]").count() == 1

    page.keyboard.press("Tab")

    assert page.locator(".menu.end[open]").count() == 0


def test_permissions_open_by_keyboard(listed: "Page") -> None:
    page = listed
    summary = page.locator(".peek > summary")
    summary.focus()

    page.keyboard.press("Enter")
    page.get_by_text("Run searches and read their results.").wait_for()
    page.keyboard.press("Escape")

    page.get_by_text("Run searches and read their results.").wait_for(state="hidden")
    assert summary.evaluate(f"(summary) => summary === {FOCUSED}")


def test_the_key_id_is_copied(sign_in: OpenPage, make_key: Callable[..., Issued]) -> None:
    key = make_key(name="Production").key
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))

    page.get_by_label("More for Production").click()
    page.get_by_role("button", name="Copy key ID").click()

    page.locator("#page-status", has_text="Key ID copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == key.public_id
    assert page.evaluate(f"{FOCUSED}.getAttribute('aria-label')") == "More for Production"


def test_rotating_on_the_keys_own_page(listed: "Page") -> None:
    page = listed
    page.get_by_role("link", name="Production", exact=True).click()
    page.get_by_role("link", name="Rotate").click()
    page.get_by_label("1 hour").check()
    page.get_by_role("button", name="Rotate key").click()

    secret = page.get_by_label("Secret", exact=True).input_value()
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
    page.get_by_label("Search keys by name or ID").fill("Prod")

    page.locator("#page-status", has_text="We couldn't load your keys. Try again.").wait_for()
    assert page.get_by_role("link", name="Production", exact=True).is_visible()

    page.unroute(QUERY)
    page.get_by_role("button", name="Retry").click()
    page.locator("#keys:not([aria-busy])").wait_for()
    assert page.evaluate(f"{FOCUSED}.id") == "keys-heading"


def test_a_lost_connection_is_shown_until_it_is_back(listed: "Page") -> None:
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
    page.get_by_role("button", name="Create key", exact=True).click()
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

    page.get_by_label("Search keys by name or ID").fill(issued.secret)

    page.locator("#page-status", has_text="Only its prefix is searched for.").wait_for()
    page.get_by_role("link", name="Shop", exact=True).wait_for()
    page.get_by_role("link", name="Production", exact=True).wait_for(state="detached")
    assert f"q={issued.key.key_prefix}" in page.url
    assert sent
    assert not [url for url in sent if issued.secret in url]


@pytest.fixture
def mixed(sign_in: OpenPage, make_key: Callable[..., Issued], as_admin: Actor) -> "Page":
    """The list with a live, a test and a disabled key."""
    make_key(name="Production")
    make_key(name="Staging", environment="test", scopes=["events:read"])
    services.set_api_key_enabled(make_key(name="Old").key, enabled=False, actor=as_admin)
    page = sign_in()
    page.get_by_role("row", name="Production").first.wait_for()
    return page


def _named(page: "Page") -> list[str]:
    """The names in the list, as soon as it is no longer being fetched."""
    page.locator("#keys:not([aria-busy])").wait_for()
    names: list[str] = page.locator("#keys tbody strong").all_inner_texts()
    return names


def test_filters_by_keyboard_alone(mixed: "Page") -> None:
    page = mixed
    page.get_by_label("Search keys by name or ID").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(f"{FOCUSED}.id") == "status"

    page.keyboard.press("ArrowDown")
    page.get_by_role("row", name="Old").wait_for(state="detached")
    assert _named(page) == ["Staging", "Production"]
    assert "status=active" in page.url
    assert page.evaluate(f"{FOCUSED}.id") == "status", "the focus stays in the filter"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.get_by_role("row", name="Staging").wait_for(state="detached")
    assert _named(page) == ["Production"]
    page.locator("#page-status").get_by_text("1 key matches").wait_for()
    export = page.get_by_role("link", name="Export keys as CSV").get_attribute("href") or ""
    assert "status=active&environment=live" in export

    page.get_by_role("link", name="Clear filters").focus()
    page.keyboard.press("Enter")
    page.get_by_role("row", name="Old").wait_for()
    assert page.evaluate(f"{FOCUSED}.id") == "q"
    assert "?" not in page.url.removesuffix("?sort=-created")
    assert page.get_by_label("Status", exact=True).input_value() == ""


def test_escape_clears_the_search(mixed: "Page") -> None:
    page = mixed
    field = page.get_by_label("Search keys by name or ID")
    field.press_sequentially("stag", delay=20)
    page.get_by_role("row", name="Production").wait_for(state="detached")

    page.keyboard.press("Escape")

    page.get_by_role("row", name="Production").wait_for()
    assert field.input_value() == ""
    assert "q=" not in page.url
    assert field.evaluate(f"(field) => field === {FOCUSED}")


def test_a_dialog_renews_the_numbers_of_the_status(mixed: "Page") -> None:
    page = mixed
    numbers = page.locator("#status option").all_inner_texts
    assert [text for text in numbers() if "(" in text][:2] == ["Status: All (3)", "Active (2)"]

    page.get_by_role("link", name="Delete Staging").click()
    page.get_by_role("button", name="Delete key").click()
    page.get_by_role("row", name="Staging").wait_for(state="detached")

    assert [text for text in numbers() if "(" in text][:2] == ["Status: All (2)", "Active (1)"]


def test_the_first_key_takes_the_place_of_the_empty_list(sign_in: OpenPage) -> None:
    page = sign_in()
    assert page.get_by_role("link", name="Create API key").count() == 1
    assert not page.get_by_label("Search keys by name or ID").is_visible()

    page.get_by_role("link", name="Create API key").click()
    page.get_by_label("Name", exact=True).fill("First")
    page.get_by_role("button", name="Create key", exact=True).click()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Close without copying").click()

    page.locator("[data-new-name]:focus").wait_for()
    page.get_by_label("Search keys by name or ID").wait_for()
    assert page.get_by_role("link", name="Create API key").count() == 1
    assert page.locator("tr[data-new]").get_by_text("New").is_visible()


def test_on_a_phone_the_filters_are_behind_a_button(
    sign_in: OpenPage, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Production")
    make_key(name="Staging", environment="test")
    page = sign_in(viewport={"width": 375, "height": 812})
    button = page.get_by_role("button", name="Filter")
    assert not page.get_by_label("Environment").is_visible()

    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    page.get_by_label("Environment").select_option("test")
    page.get_by_role("row", name="Production").wait_for(state="detached")
    button.click()

    assert not page.get_by_label("Environment").is_visible()
    assert button.get_attribute("aria-expanded") == "false"


def test_a_page_is_jumped_to(sign_in: OpenPage, acme: Organization, admin: User) -> None:
    add_many_keys(acme, admin, 2_000)
    page = sign_in()
    page.get_by_text("1–25 of 2,000 keys").wait_for()

    field = page.get_by_label("Page", exact=True)
    field.fill("41")
    field.press("Enter")

    page.get_by_text("1,001–1,025 of 2,000 keys").wait_for()
    page.get_by_role("link", name="Next").click()
    page.get_by_text("1,026–1,050 of 2,000 keys").wait_for()


def test_the_list_is_downloaded_with_its_filters(mixed: "Page") -> None:
    page = mixed
    page.get_by_label("Environment").select_option("test")
    page.get_by_role("row", name="Production").wait_for(state="detached")

    with page.expect_download() as started:
        page.get_by_role("link", name="Export keys as CSV").click()

    lines = started.value.path().read_text().splitlines()
    assert started.value.suggested_filename.startswith("keys-acme-")
    assert len(lines) == 2
    assert "Staging" in lines[1]


def test_without_script_the_filters_and_the_pages_work(
    sign_in: OpenPage, acme: Organization, admin: User, make_key: Callable[..., Issued]
) -> None:
    add_many_keys(acme, admin, 60)
    make_key(name="Staging", environment="test")
    page = sign_in(java_script_enabled=False)

    page.get_by_label("Page", exact=True).fill("3")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("51–61 of 61 keys").wait_for()
    page.get_by_label("Environment").select_option("test")
    page.get_by_role("button", name="Search").click()

    page.get_by_text("1 key matches").wait_for()
    assert page.locator("#keys tbody strong").all_inner_texts() == ["Staging"]
    page.get_by_role("link", name="Clear filters").click()
    page.get_by_text("1–25 of 61 keys").wait_for()
