"""Dialogs during other events: an old sign-in, another sign-in, an unexpected response."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.timestamps import stamp
from organizations.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.browser.test_layout import box
from tests.factories import PASSWORD, IssuedKeyFactory, ServiceAccountFactory, TemplateFactory
from tests.pages.support import RECORDS

if TYPE_CHECKING:
    from playwright.sync_api import Page

OLD = 16 * 60
COLOR_OF_ROTATE = "getComputedStyle(document.querySelector('.may-harm')).backgroundColor"
RENEWED = "You signed in again after this was opened. Nothing was changed."


def _age(page: "Page", seconds: int = OLD) -> None:
    """Lets the sign-in be that old."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    session = SessionStore(cookies["sessionid"])
    session[RECORDS] = [{**record, "at": record["at"] - seconds} for record in session[RECORDS]]
    session.save()


def _fill_in(page: "Page") -> None:
    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_label("Name", exact=True).fill("Production")


def _create(page: "Page") -> None:
    page.get_by_role("button", name="Create", exact=True).click()


def _confirm(page: "Page", password: str = PASSWORD) -> None:
    page.get_by_role("heading", name="Confirm it's you").wait_for()
    page.get_by_label("Your password").fill(password)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_creating_goes_on_after_the_password(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    _fill_in(page)
    _age(page)

    _create(page)
    _confirm(page, "wrong")
    page.get_by_text("The password is incorrect.").first.wait_for()
    assert not ApiKey.objects.exists()
    _confirm(page)

    page.get_by_role("heading", name="Store your new key").wait_for()
    assert ApiKey.objects.get().name == "Production"


def test_rotating_goes_on_after_the_password(sign_in: OpenPage, acme: Organization) -> None:
    key = IssuedKeyFactory.create(organization=acme, name="Crawler").key
    page = sign_in()
    page.goto(f"/o/acme/settings/developer/keys/{key.public_id}/")
    page.get_by_role("link", name="Rotate").click()
    page.get_by_label("1 hour").check()
    _age(page)

    page.get_by_role("button", name="Rotate key").click()
    _confirm(page)

    page.get_by_label("Secret key").wait_for()
    older = key.secrets.exclude(ends_at=None).get()
    assert older.ends_at - timezone.now() < timedelta(hours=1), "what was chosen"


def test_deleting_goes_on_after_the_password(sign_in: OpenPage, acme: Organization) -> None:
    key = IssuedKeyFactory.create(organization=acme, name="Crawler").key
    page = sign_in()
    page.get_by_role("link", name="Delete Crawler").click()
    page.locator("dialog[open]").wait_for()
    _age(page)

    page.get_by_role("button", name="Delete key").click()
    _confirm(page)

    page.locator("dialog:not([open])").wait_for(state="attached")
    key.refresh_from_db()
    assert key.revoked_at


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_confirmation_can_be_canceled_and_loses_nothing(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    _fill_in(page)
    page.get_by_text("More options").click()
    page.get_by_label("Description").fill("For the web shop")
    _age(page)
    _create(page)
    page.get_by_label("Your password").wait_for()

    page.get_by_role("button", name="Cancel").click()

    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    assert page.get_by_label("Description").input_value() == "For the web shop"
    assert not ApiKey.objects.exists()
    _create(page)
    _confirm(page)
    page.get_by_role("heading", name="Store your new key").wait_for()
    assert ApiKey.objects.get().description == "For the web shop"


def test_a_confirmation_in_another_tab_is_enough(sign_in: OpenPage, admin: User) -> None:
    page = sign_in()
    TOTP.activate(admin, generate_totp_secret())
    _fill_in(page)
    _age(page)
    _create(page)

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="confirm with a passkey or a code in a new tab").click()
    other = opened.value
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Confirm").click()
    other.wait_for_url("**/keys/create/**")
    page.get_by_role("button", name="Continue").click()

    page.get_by_label("Secret key").wait_for()
    assert ApiKey.objects.get().name == "Production"


def test_a_new_sign_in_in_another_tab_loses_nothing(sign_in: OpenPage, acme: Organization) -> None:
    page = sign_in()
    _fill_in(page)
    other = page.context.new_page()
    page.context.clear_cookies()
    other.goto("/accounts/login/?next=/o/acme/settings/developer/")
    other.get_by_label("Email").fill("ada@acme.example")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url("**/o/acme/settings/developer/")

    _create(page)
    page.locator("dialog").get_by_text(RENEWED).wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    _create(page)

    page.get_by_label("Secret key").wait_for()
    assert ApiKey.objects.get().name == "Production"


def _sign_in_again(page: "Page") -> None:
    page.get_by_label("Email").fill("ada@acme.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/o/acme/settings/developer/**")


@pytest.mark.parametrize("lost", ["session", "cookies"])
def test_a_session_that_has_ended_loses_nothing(sign_in: OpenPage, lost: str) -> None:
    page = sign_in()
    _fill_in(page)
    Session.objects.all().delete()
    if lost == "cookies":
        page.context.clear_cookies()

    for _ in range(2):
        _create(page)
        page.locator("dialog").get_by_text("You were signed out. Nothing was changed").wait_for()
    assert page.locator("dialog").get_by_text("You were signed out.").count() == 1
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    _sign_in_again(opened.value)
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    _create(page)

    page.get_by_label("Secret key").wait_for()
    assert ApiKey.objects.get().name == "Production"


def test_a_dialog_that_is_opened_after_the_session_follows_the_sign_in(sign_in: OpenPage) -> None:
    page = sign_in()
    Session.objects.all().delete()

    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_role("alert").get_by_text("You were signed out. Sign in to continue.").wait_for()
    _sign_in_again(page)

    page.get_by_label("Name", exact=True).wait_for()


@pytest.mark.parametrize(("opened", "heading"), [("Delete", "Delete"), ("Rotate", "Rotate")])
def test_the_dialog_of_one_key_of_many_follows_the_sign_in(
    sign_in: OpenPage, acme: Organization, opened: str, heading: str
) -> None:
    for name in ("First", "Second", "Third"):
        IssuedKeyFactory.create(organization=acme, name=name)
    page = sign_in()
    page.goto("/o/acme/settings/developer/?q=S&status=active")
    Session.objects.all().delete()

    row = page.get_by_role("row", name="Second")
    if opened == "Delete":
        row.get_by_role("link", name="Delete").click()
    else:
        row.locator("summary").last.click()
        row.get_by_role("link", name=opened).click()
    _sign_in_again(page)

    page.get_by_role("dialog").or_(page.get_by_role("alertdialog")).wait_for()
    title = page.locator("#dialog-title").text_content() or ""
    assert heading in title
    assert "Second" in title
    assert "q=S" in page.url


def test_a_kind_of_dialog_alone_opens_none_of_many(sign_in: OpenPage, acme: Organization) -> None:
    for name in ("First", "Second"):
        IssuedKeyFactory.create(organization=acme, name=name)
    page = sign_in()

    page.goto("/o/acme/settings/developer/?dialog=delete")
    page.wait_for_load_state("networkidle")

    assert not page.locator("#dialog[open]").count()


def test_a_search_after_the_session_leads_to_the_sign_in(
    sign_in: OpenPage, acme: Organization
) -> None:
    IssuedKeyFactory.create(organization=acme, name="First")
    page = sign_in()
    Session.objects.all().delete()

    page.get_by_label("Search keys").fill("Fir")
    page.get_by_role("alert").get_by_text("You were signed out. Sign in to continue.").wait_for()
    _sign_in_again(page)

    page.get_by_role("link", name="First", exact=True).wait_for()
    assert "q=Fir" in page.url


@pytest.mark.parametrize("status", [403, 404, 405, 413, 503])
def test_an_answer_for_no_dialog_is_not_shown_in_one(sign_in: OpenPage, status: int) -> None:
    page = sign_in()
    _fill_in(page)
    error = "<!doctype html><title>No</title><h1>An error page</h1>"
    page.route(
        "**/keys/create/",
        lambda route: route.fulfill(
            status=status, content_type="text/html", body=error, headers={"X-Request-Id": "req_1"}
        ),
    )

    _create(page)

    failure = page.locator("dialog .message.bad", has_text="Something went wrong.")
    failure.get_by_text("Request ID: req_1").wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    assert page.get_by_text("An error page").count() == 0

    page.unroute("**/keys/create/")
    failure.get_by_role("button", name="Retry").click()
    page.get_by_label("Secret key").wait_for()
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_is_filled_in_under_more_options_counts(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    _fill_in(page)
    page.get_by_text("More options").click()
    assert not page.get_by_label("Custom date (UTC)").is_visible()
    assert not page.get_by_role("checkbox", name="search:read").is_visible()
    page.get_by_label("Custom…").check()
    page.get_by_role("checkbox", name="search:read").check()
    page.get_by_label("Expires").select_option("custom")
    page.get_by_label("Custom date (UTC)").fill("2035-02-18")
    _create(page)

    page.get_by_role("heading", name="Store your new key").wait_for()
    key = ApiKey.objects.get()
    assert key.scopes == ["search:read"]
    assert key.expires_at == datetime(2035, 2, 18, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_is_filled_in_and_then_hidden_is_dropped_with_its_choice_or_refused(
    sign_in: OpenPage, script: bool
) -> None:
    page = sign_in(java_script_enabled=script)
    _fill_in(page)
    page.get_by_text("More options").click()
    page.get_by_label("Custom…").check()
    page.get_by_role("checkbox", name="search:read").check()
    page.get_by_label("Expires").select_option("custom")
    page.get_by_label("Custom date (UTC)").fill("2035-02-18")
    page.get_by_label("Read only").check()
    page.get_by_label("Expires").select_option("30")
    _create(page)

    if not script:  # shown again, since it would be sent
        page.get_by_text("Choose “Custom” to use the permissions that are ticked").first.wait_for()
        page.get_by_text("Choose “Custom date” to use the date, or clear it.").first.wait_for()
        assert page.get_by_role("checkbox", name="search:read").is_visible()
        assert page.get_by_label("Custom date (UTC)").is_visible()
        assert not ApiKey.objects.exists()
        return
    page.get_by_label("Secret key").wait_for()
    key = ApiKey.objects.get()
    assert key.scopes == ["trademarks:read", "search:read", "events:read"]
    assert key.expires_at
    assert key.expires_at - timezone.now() < timedelta(days=30)


def test_a_template_shows_what_it_fills_in_and_what_is_set_wins(
    sign_in: OpenPage, acme: Organization
) -> None:
    TemplateFactory.create(organization=acme, name="CI", scopes=["events:read"], lifetime_days=45)
    page = sign_in()
    _fill_in(page)
    summary = page.locator("[data-in-words]")
    assert summary.inner_text() == "Live · Standard permissions · Never expires"
    page.get_by_text("More options").click()
    page.get_by_label("Expires").select_option("7")

    page.get_by_role("combobox", name="Template").select_option(label="CI")

    page.get_by_text("Fills in 1 of 5 permissions and 45 days.").wait_for()
    assert page.get_by_role("checkbox", name="events:read").is_checked()
    assert page.get_by_label("Expires").input_value() == "7", "set before"
    page.get_by_role("combobox", name="Template").select_option(label="None")
    assert page.get_by_label("Standard").is_checked()
    page.get_by_role("combobox", name="Template").select_option(label="CI")
    page.get_by_label("Test", exact=True).check()
    assert page.locator(".form-foot code", has_text="sig_test_").is_visible()
    page.get_by_text("More options").click()
    assert summary.inner_text() == "Test · Custom permissions · Expires in 7 days"
    _create(page)

    page.get_by_label("Secret key").wait_for()
    key = ApiKey.objects.get()
    assert (key.scopes, key.environment) == (["events:read"], "test")
    assert key.expires_at
    assert key.expires_at - timezone.now() < timedelta(days=7)


def test_the_moment_of_the_expiry_follows_the_choice(sign_in: OpenPage) -> None:
    page = sign_in()
    _fill_in(page)
    page.get_by_text("More options").click()
    assert not page.get_by_text("Stops working").first.is_visible()

    page.get_by_label("Expires").select_option("90")

    expected = stamp(timezone.now() + timedelta(days=90))[:11]
    page.get_by_text(f"Stops working {expected}").wait_for()


def test_all_options_fit_on_a_laptop(sign_in: OpenPage, acme: Organization) -> None:
    TemplateFactory.create(organization=acme, name="CI", lifetime_days=90)
    ServiceAccountFactory.create(organization=acme)
    page = sign_in(viewport={"width": 1280, "height": 900})
    _fill_in(page)
    page.get_by_text("More options").click()
    page.get_by_role("combobox", name="Template").select_option(label="CI")

    dialog = page.locator("#dialog")
    assert dialog.evaluate("(dialog) => dialog.scrollHeight <= dialog.clientHeight")
    assert dialog.evaluate("(dialog) => dialog.getBoundingClientRect().bottom <= innerHeight")


def test_the_buttons_of_a_long_form_stay_in_view(sign_in: OpenPage) -> None:
    page = sign_in(viewport={"width": 375, "height": 600})
    _fill_in(page)
    page.get_by_text("More options").click()

    assert page.locator("#dialog").evaluate("(dialog) => dialog.scrollHeight > dialog.clientHeight")
    for name in ("Cancel", "Create"):
        place = box(page.get_by_role("button", name=name, exact=True))
        assert place["y"] + place["height"] <= 600


def test_back_closes_a_dialog_and_asks_first_if_something_was_typed(sign_in: OpenPage) -> None:
    page = sign_in()
    address = page.url
    page.get_by_role("link", name="Create API key").first.click()
    page.locator("dialog[open]").wait_for()
    page.go_back()
    page.locator("dialog:not([open])").wait_for(state="attached")
    assert page.url == address

    _fill_in(page)
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
    _fill_in(page)
    _create(page)
    page.get_by_label("Secret key").wait_for()

    page.go_back()

    page.get_by_text("You haven't copied this key. It can't be shown again.").wait_for()
    assert page.get_by_label("Secret key").is_visible()


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

    _fill_in(page)
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
    _fill_in(page)
    _create(page)
    page.get_by_text("A key named “Production” already exists.").first.wait_for()

    page.keyboard.press("Escape")

    page.get_by_text("Discard what you typed?").wait_for()


def test_a_dialog_in_which_nothing_was_typed_closes_at_once(sign_in: OpenPage) -> None:
    page = sign_in()
    page.get_by_role("link", name="Create API key").first.click()
    page.locator("dialog[open]").wait_for()

    page.keyboard.press("Escape")

    page.locator("dialog:not([open])").wait_for(state="attached")
