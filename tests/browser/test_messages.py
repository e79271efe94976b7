"""Messages are visible at any scroll position, use consistent colors, and can be dismissed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from allauth.account.models import EmailAddress

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.browser.test_layout import box
from tests.pages.support import add_many_keys

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SIZE = {"width": 1280, "height": 700}
CLIPBOARD = ("clipboard-read", "clipboard-write")
#: The color that the theme gives to each kind, and the one that the icon of the message has.
COLORS = """(message) => {
  const probe = document.createElement("div");
  document.body.append(probe);
  const colors = {};
  for (const kind of ["ok", "warn", "bad"]) {
    probe.style.color = `var(--${kind})`;
    colors[getComputedStyle(probe).color] = kind;
  }
  probe.remove();
  const icon = message.querySelector("[data-when]:not([hidden])") ?? message.querySelector("svg");
  return icon ? (colors[getComputedStyle(icon).color] ?? "none") : "none";
}"""


@pytest.fixture
def listed(sign_in: OpenPage, acme: Organization, admin: User) -> "Page":
    """The list with more keys than a screen shows, and the last of them in view."""
    add_many_keys(acme, admin, 20)
    page = sign_in(viewport=SIZE, permissions=CLIPBOARD)
    page.get_by_label("More for Bulk 00000").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > SIZE["height"]
    return page


def shown(page: "Page", text: str) -> "Locator":
    """The message with that text, which is within the window."""
    message = page.locator(".message", has_text=text)
    message.wait_for()
    place = box(message)
    width, height = page.evaluate("[innerWidth, innerHeight]")
    assert 0 <= place["x"] <= place["x"] + place["width"] <= width
    assert 0 <= place["y"] <= place["y"] + place["height"] <= height
    return message


def color(message: "Locator") -> str:
    """The kind whose color the message has."""
    found: str = message.evaluate(COLORS)
    return found


def test_what_is_done_below_the_fold_is_said_there(listed: "Page") -> None:
    page = listed
    page.get_by_label("More for Bulk 00000").click()
    page.get_by_role("button", name="Copy key ID").click()
    assert color(shown(page, "Key ID copied.")) == "ok"

    page.get_by_role("link", name="Delete Bulk 00001").click()
    page.get_by_role("button", name="Delete key").click()
    assert color(shown(page, "Key Bulk 00001 deleted.")) == "ok"


def test_a_rotation_is_said_in_its_dialog_and_after_it(listed: "Page") -> None:
    page = listed
    page.get_by_label("More for Bulk 00000").click()
    page.get_by_role("link", name="Rotate").filter(visible=True).click()
    page.get_by_role("button", name="Rotate key").click()
    page.get_by_role("button", name="Copy secret").click()
    page.locator(".notice.ok", has_text="Secret copied.").wait_for()

    page.get_by_role("button", name="Done").click()
    assert color(shown(page, "Key Bulk 00000 rotated.")) == "ok"


def test_successes_go_away_and_failures_stay(
    sign_in: OpenPage, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Production")
    page = sign_in(permissions=CLIPBOARD)
    page.clock.install()
    page.reload()
    page.get_by_role("button", name="Copy account ID").click()
    copied = shown(page, "Account ID copied.")

    page.clock.run_for(60_000)
    copied.wait_for(state="detached")

    page.get_by_label("More for Production").click()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")
    page.get_by_role("button", name="Copy key ID").click()
    blocked = shown(page, "Copying is blocked here.")
    assert color(blocked) == "warn"
    page.clock.run_for(600_000)
    assert blocked.is_visible()

    blocked.get_by_role("button", name="Dismiss").click()
    blocked.wait_for(state="detached")


def test_a_success_waits_while_it_is_pointed_at(sign_in: OpenPage) -> None:
    page = sign_in(permissions=CLIPBOARD)
    page.clock.install()
    page.reload()
    page.get_by_role("button", name="Copy account ID").click()
    copied = shown(page, "Account ID copied.")

    copied.hover()
    page.clock.run_for(60_000)
    assert copied.is_visible()

    page.mouse.move(5, 600)
    page.clock.run_for(60_000)
    copied.wait_for(state="detached")


def test_dismissing_gives_the_focus_back(sign_in: OpenPage) -> None:
    page = sign_in(permissions=CLIPBOARD)
    page.get_by_role("button", name="Copy account ID").click()

    shown(page, "Account ID copied.").get_by_role("button", name="Dismiss").click()

    page.locator("button:focus", has_text="Copy account ID").wait_for()


def test_the_button_that_copied_says_so_too(sign_in: OpenPage) -> None:
    page = sign_in(permissions=CLIPBOARD)
    button = page.get_by_role("button", name="Copy account ID")
    check = button.locator("[data-icon=done]")
    assert check.count() == 0

    button.click()

    shown(page, "Account ID copied.")
    assert check.is_visible()
    check.wait_for(state="detached")


def test_one_message_at_a_time(sign_in: OpenPage) -> None:
    page = sign_in(permissions=CLIPBOARD)
    page.get_by_role("button", name="Copy account ID").click()
    shown(page, "Account ID copied.")

    page.get_by_role("button", name="Copy base URL").click()

    shown(page, "Base URL copied.")
    assert page.locator(".message").count() == 1


def test_a_busy_button_keeps_its_width(sign_in: OpenPage) -> None:
    page = sign_in()
    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_label("Name", exact=True).fill("Production")
    page.route("**/keys/create/", lambda route: None)  # never answered
    button = page.locator("dialog button.primary")
    before = box(button)["width"]

    button.click()

    page.get_by_role("button", name="Creating…").wait_for()
    assert box(button)["width"] >= before
    assert button.get_attribute("aria-busy") == "true"


def test_a_failure_in_a_dialog_is_one_to_see(listed: "Page") -> None:
    page = listed
    page.get_by_label("More for Bulk 00000").click()
    page.get_by_role("link", name="Disable").filter(visible=True).click()
    page.get_by_role("button", name="Disable key").wait_for()
    page.route("**/switch/", lambda route: route.abort())
    page.get_by_role("button", name="Disable key").click()

    lost = shown(page, "Connection lost. The change may have been made")
    assert color(lost) == "bad"
    page.unroute("**/switch/")
    lost.get_by_role("button", name="Retry").click()
    assert color(shown(page, "Key Bulk 00000 disabled.")) == "ok"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_servers_messages_look_the_same(
    sign_in: OpenPage, acme: Organization, script: bool
) -> None:
    page = sign_in(java_script_enabled=script)
    page.goto("/o/acme/settings/")
    page.get_by_label("Organization name").fill("Acme Ltd")
    page.get_by_role("button", name="Save name").click()

    message = shown(page, "Changes saved.")
    assert bool(message.get_by_role("button", name="Dismiss").count()) is script
    if script:
        assert color(message) == "ok"
    else:  # in the flow of the page, above its heading
        below, heading = box(message), box(page.locator("h1"))
        assert below["y"] + below["height"] <= heading["y"]


def test_a_refusal_of_the_account_pages_is_one_to_see(sign_in: OpenPage, admin: User) -> None:
    """An address that became the primary one in another tab can't be removed."""
    other = EmailAddress.objects.create(user=admin, email="ada@example.org", verified=True)
    page = sign_in()
    page.goto("/accounts/email/")
    other.set_as_primary()
    page.get_by_role("button", name="Remove ada@example.org").click()

    assert color(shown(page, "Make another one primary first.")) == "bad"


def test_the_result_of_a_test_is_shown_once(
    sign_in: OpenPage, manager: Issued, acme: Organization
) -> None:
    page = sign_in(viewport=SIZE)
    page.get_by_role("link", name="Test API key").first.click()
    page.get_by_label("API key", exact=True).fill(manager.secret)
    page.get_by_role("button", name="Run test").click()

    line = page.locator("[data-line]", has_text="The key works.")
    line.wait_for()
    assert color(page.locator(".verdict")) == "ok"
    said = page.locator("dialog [role=status]", has_text="The key works.")
    assert said.count() == 1, "announced"
    assert page.locator("dialog .verdict", has_text="The key works.").count() == 1, "seen"
