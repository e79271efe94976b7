"""Dialogs during other events: an old sign-in, another sign-in, an unexpected response."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from apikeys.models import ApiKey
from organizations.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.factories import PASSWORD, IssuedKeyFactory
from tests.pages.support import RECORDS

if TYPE_CHECKING:
    from playwright.sync_api import Page

OLD = 16 * 60
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
    page.get_by_role("heading", name="Confirm that it is you").wait_for()
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


def test_a_confirmation_can_be_canceled(sign_in: OpenPage) -> None:
    page = sign_in()
    _fill_in(page)
    _age(page)
    _create(page)
    page.get_by_label("Password").wait_for()

    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Discard").click()

    page.locator("dialog:not([open])").wait_for(state="attached")
    assert not ApiKey.objects.exists()


def test_a_confirmation_in_another_tab_is_enough(sign_in: OpenPage, admin: User) -> None:
    page = sign_in()
    TOTP.activate(admin, generate_totp_secret())
    _fill_in(page)
    _age(page)
    _create(page)

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="confirm with a passkey or a code in a new tab").click()
    other = opened.value
    other.get_by_label("Password").fill(PASSWORD)
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

    row = page.locator("table.list tbody tr", has_text="Second")
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

    page.locator("dialog").get_by_text(
        "The server could not do this (request id req_1)."
    ).wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    assert page.get_by_text("An error page").count() == 0


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_is_filled_in_under_more_options_counts(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    _fill_in(page)
    page.get_by_text("More options").click()
    page.get_by_role("checkbox", name="search:read").check()
    page.get_by_label("Custom date", exact=True).fill("2035-02-18")
    _create(page)
    if not script:
        page.get_by_text("Choose “Custom” to use the permissions that are ticked").first.wait_for()
        page.get_by_text("Choose “Custom date” to use the date, or clear it.").first.wait_for()
        assert not ApiKey.objects.exists()
        return

    page.get_by_label("Secret key").wait_for()
    key = ApiKey.objects.get()
    assert key.scopes == ["search:read"]
    assert key.expires_at == datetime(2035, 2, 18, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize("way", ["Escape", "Cancel"])
def test_a_dialog_asks_before_it_drops_what_was_typed(sign_in: OpenPage, way: str) -> None:
    """In the page: whoever answers is not torn out of it, and twice asked is once too often."""
    page, native = sign_in(), list[str]()
    page.on("dialog", lambda asked: native.append(asked.message))

    def leave() -> None:
        if way == "Escape":
            page.keyboard.press("Escape")
        else:
            page.locator("dialog [data-close]").click()

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
