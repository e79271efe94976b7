"""Dialogs: leaving them, unexpected responses, deleting and rotating, and the keyboard."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from organizations.models import Organization
from tests.browser.conftest import OpenPage
from tests.browser.support import create, fill_in
from tests.factories import IssuedKeyFactory

if TYPE_CHECKING:
    pass

COLOR_OF_ROTATE = "getComputedStyle(document.querySelector('.may-harm')).backgroundColor"


def test_closing_an_organization_waits_for_its_name(sign_in: OpenPage, acme: Organization) -> None:
    page = sign_in()
    page.goto("/o/acme/settings/close/")
    button = page.get_by_role("button", name="Close organization")
    assert button.get_attribute("aria-disabled") == "true"

    button.click(force=True)
    assert page.get_by_label("Type “Acme”").evaluate("field => field === document.activeElement")
    page.get_by_label("Type “Acme”").fill("Acme")

    assert button.get_attribute("aria-disabled") is None


@pytest.mark.parametrize("status", [403, 404, 405, 413, 503])
def test_an_answer_for_no_dialog_is_not_shown_in_one(sign_in: OpenPage, status: int) -> None:
    page = sign_in()
    fill_in(page)
    error = "<!doctype html><title>No</title><h1>An error page</h1>"
    page.route(
        "**/keys/create/",
        lambda route: route.fulfill(
            status=status, content_type="text/html", body=error, headers={"X-Request-Id": "req_1"}
        ),
    )

    create(page)

    failure = page.locator("dialog .message.bad", has_text="Something went wrong.")
    failure.get_by_text("Request ID: req_1").wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    assert page.get_by_text("An error page").count() == 0

    page.unroute("**/keys/create/")
    failure.get_by_role("button", name="Retry").click()
    page.get_by_label("Secret", exact=True).wait_for()
    assert ApiKey.objects.count() == 1


def test_back_closes_a_dialog_and_asks_first_if_something_was_typed(sign_in: OpenPage) -> None:
    page = sign_in()
    address = page.url
    page.get_by_role("link", name="Create API key").first.click()
    page.locator("dialog[open]").wait_for()
    page.go_back()
    page.locator("dialog:not([open])").wait_for(state="attached")
    assert page.url == address

    fill_in(page)
    for _ in range(2):
        page.go_back()
        page.get_by_text("Discard what you typed?").wait_for()
        page.get_by_role("button", name="Keep editing").click()
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    page.go_back()
    page.get_by_role("button", name="Discard").click()
    page.locator("dialog:not([open])").wait_for(state="attached")
    assert page.url == address


def test_back_does_not_drop_a_secret_that_was_not_copied(sign_in: OpenPage) -> None:
    page = sign_in()
    fill_in(page)
    create(page)
    page.get_by_label("Secret", exact=True).wait_for()

    page.go_back()

    page.get_by_text("You haven't copied this key. It can't be shown again.").wait_for()
    assert page.get_by_label("Secret", exact=True).is_visible()


def test_after_a_dialog_was_closed_back_leaves_the_page(sign_in: OpenPage) -> None:
    page = sign_in()
    page.goto("/o/acme/settings/")
    page.goto("/o/acme/settings/developer/")
    page.get_by_role("link", name="Create API key").first.click()
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)  # its entry of the history goes, too

    page.go_back()

    assert page.url.endswith("/o/acme/settings/")


def test_a_deletion_is_described_and_pale_until_the_name_is_typed(
    sign_in: OpenPage, make_key: Callable[..., Issued]
) -> None:
    used = make_key(name="Production").key
    with transactions.allowed():
        ApiKey.objects.filter(pk=used.pk).update(last_used_at=timezone.now())
    page = sign_in()
    page.get_by_role("link", name="Delete Production").click()
    dialog = page.get_by_role("alertdialog", name="Delete “Production”?")
    dialog.wait_for()
    described = dialog.get_attribute("aria-describedby")
    assert "Something still uses this key." in page.locator(f"#{described}").inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Cancel"

    field, button = (
        page.get_by_label("Type “Production”"),
        page.get_by_role("button", name="Delete key"),
    )
    assert button.get_attribute("aria-disabled") == "true"
    button.click(force=True)
    assert field.evaluate("(field) => field === document.activeElement")
    field.fill("production")
    page.keyboard.press("Enter")
    assert dialog.is_visible()
    field.fill(" Production ")
    assert button.get_attribute("aria-disabled") is None
    page.keyboard.press("Enter")

    page.get_by_text("Key Production deleted.").wait_for()


def test_only_immediately_turns_the_button_of_a_rotation_red(
    sign_in: OpenPage, make_key: Callable[..., Issued]
) -> None:
    key = make_key(name="Production").key
    page = sign_in()
    page.goto(f"/o/acme/settings/developer/keys/{key.public_id}/rotate/")
    assert page.get_by_label("24 hours").is_checked()
    colors = []
    for choice in ("24 hours", "Immediately", "7 days"):
        page.get_by_label(choice).check()
        page.wait_for_timeout(500)  # the colors fade
        colors.append(page.evaluate(COLOR_OF_ROTATE))

    assert colors[0] == colors[2] != colors[1]


def test_create_test_rotate_and_delete_by_keyboard(sign_in: OpenPage) -> None:
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))

    def press(name: str, role: Any = "button") -> None:
        """Goes to the control with Tab, as people do, and presses Enter."""
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.get_by_role(role, name=name, exact=True).and_(page.locator(":focus")).count():
                page.keyboard.press("Enter")
                return
        pytest.fail(f"{name} can't be reached by Tab")

    press("Create API key", "link")
    page.locator("dialog[open]").wait_for()
    page.keyboard.type("Production")
    page.keyboard.press("Enter")
    page.locator("[data-secret-copy]:focus").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Secret copied.").wait_for()
    press("Test this key")
    page.locator("[name=key]:focus").wait_for()
    page.keyboard.press("Enter")
    page.locator("[data-line]", has_text="The key works.").wait_for()
    press("Close")
    page.locator("[data-new-name]:focus", has_text="Production").wait_for()

    key = ApiKey.objects.get()
    page.goto(f"/o/acme/settings/developer/keys/{key.public_id}/rotate/")
    press("Rotate key")
    page.get_by_role("heading", name="Store your new key").wait_for()
    page.goto(f"/o/acme/settings/developer/keys/{key.public_id}/delete/")
    if page.get_by_label("Type “Production”").count():
        page.get_by_label("Type “Production”").fill("Production")
    press("Delete key")
    page.get_by_text("Key Production deleted.").wait_for()
    key.refresh_from_db()
    assert key.revoked_at


@pytest.mark.parametrize("way", ["Escape", "Cancel", "Close dialog"])
def test_a_dialog_asks_before_it_drops_what_was_typed(sign_in: OpenPage, way: str) -> None:
    """The question is part of the page: the browser does not ask a second time."""
    page, native = sign_in(), list[str]()
    page.on("dialog", lambda asked: native.append(asked.message))

    def leave() -> None:
        if way == "Escape":
            page.keyboard.press("Escape")
        else:
            page.get_by_role("button", name=way).click()

    fill_in(page)
    leave()
    page.get_by_text("Discard what you typed?").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Keep editing"
    page.keyboard.press("Enter")
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    leave()
    page.get_by_role("button", name="Discard").click()

    page.locator("dialog:not([open])").wait_for(state="attached")
    assert native == []


def test_a_dialog_asks_after_a_refused_submit(sign_in: OpenPage, acme: Organization) -> None:
    IssuedKeyFactory.create(organization=acme, name="Production")
    page = sign_in()
    fill_in(page)
    create(page)
    page.get_by_text("A key named “Production” already exists.").first.wait_for()

    page.keyboard.press("Escape")

    page.get_by_text("Discard what you typed?").wait_for()


def test_a_dialog_in_which_nothing_was_typed_closes_at_once(sign_in: OpenPage) -> None:
    page = sign_in()
    page.get_by_role("link", name="Create API key").first.click()
    page.locator("dialog[open]").wait_for()

    page.keyboard.press("Escape")

    page.locator("dialog:not([open])").wait_for(state="attached")
