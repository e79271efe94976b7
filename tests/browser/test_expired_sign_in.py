"""Dialogs after the sign-in got old, was replaced or ended: nothing that was typed is lost."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.sessions.models import Session
from django.utils import timezone

from apikeys.models import ApiKey
from organizations.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.browser.support import age_sign_in, confirm, create, fill_in
from tests.factories import PASSWORD, IssuedKeyFactory

if TYPE_CHECKING:
    from playwright.sync_api import Page

RENEWED = "You signed in again after this was opened. Nothing was changed."


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_creating_goes_on_after_the_password(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    fill_in(page)
    age_sign_in(page)

    create(page)
    confirm(page, "wrong")
    page.get_by_text("The password is incorrect.").first.wait_for()
    assert not ApiKey.objects.exists()
    confirm(page)

    page.get_by_role("heading", name="Store your new key").wait_for()
    assert ApiKey.objects.get().name == "Production"


def test_rotating_goes_on_after_the_password(sign_in: OpenPage, acme: Organization) -> None:
    key = IssuedKeyFactory.create(organization=acme, name="Crawler").key
    page = sign_in()
    page.goto(f"/o/acme/settings/developer/keys/{key.public_id}/")
    page.get_by_role("link", name="Rotate").click()
    page.get_by_label("1 hour").check()
    age_sign_in(page)

    page.get_by_role("button", name="Rotate key").click()
    confirm(page)

    page.get_by_label("Secret", exact=True).wait_for()
    older = key.secrets.exclude(ends_at=None).get()
    assert older.ends_at - timezone.now() < timedelta(hours=1), "what was chosen"


def test_deleting_goes_on_after_the_password(sign_in: OpenPage, acme: Organization) -> None:
    key = IssuedKeyFactory.create(organization=acme, name="Crawler").key
    page = sign_in()
    page.get_by_role("link", name="Delete Crawler").click()
    page.locator("dialog[open]").wait_for()
    age_sign_in(page)

    page.get_by_role("button", name="Delete key").click()
    confirm(page)

    page.locator("dialog:not([open])").wait_for(state="attached")
    key.refresh_from_db()
    assert key.revoked_at


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_confirmation_can_be_canceled_and_loses_nothing(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    fill_in(page)
    page.get_by_text("More options").click()
    page.get_by_label("Description").fill("For the web shop")
    age_sign_in(page)
    create(page)
    page.get_by_label("Your password").wait_for()

    page.get_by_role("button", name="Cancel").click()

    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    assert page.get_by_label("Description").input_value() == "For the web shop"
    assert not ApiKey.objects.exists()
    create(page)
    confirm(page)
    page.get_by_role("heading", name="Store your new key").wait_for()
    assert ApiKey.objects.get().description == "For the web shop"


def test_a_confirmation_in_another_tab_is_enough(sign_in: OpenPage, admin: User) -> None:
    page = sign_in()
    TOTP.activate(admin, generate_totp_secret())
    fill_in(page)
    age_sign_in(page)
    create(page)

    with page.context.expect_page() as opened:
        page.get_by_role("link", name="confirm with a passkey or a code in a new tab").click()
    other = opened.value
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Confirm").click()
    other.wait_for_url("**/keys/create/**")
    page.get_by_role("button", name="Continue").click()

    page.get_by_label("Secret", exact=True).wait_for()
    assert ApiKey.objects.get().name == "Production"


def test_a_new_sign_in_in_another_tab_loses_nothing(sign_in: OpenPage, acme: Organization) -> None:
    page = sign_in()
    fill_in(page)
    other = page.context.new_page()
    page.context.clear_cookies()
    other.goto("/accounts/login/?next=/o/acme/settings/developer/")
    other.get_by_label("Email").fill("ada@acme.example")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url("**/o/acme/settings/developer/")

    create(page)
    page.locator("dialog").get_by_text(RENEWED).wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    create(page)

    page.get_by_label("Secret", exact=True).wait_for()
    assert ApiKey.objects.get().name == "Production"


def _sign_in_again(page: "Page") -> None:
    page.get_by_label("Email").fill("ada@acme.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/o/acme/settings/developer/**")


@pytest.mark.parametrize("lost", ["session", "cookies"])
def test_a_session_that_has_ended_loses_nothing(sign_in: OpenPage, lost: str) -> None:
    page = sign_in()
    fill_in(page)
    Session.objects.all().delete()
    if lost == "cookies":
        page.context.clear_cookies()

    for _ in range(2):
        create(page)
        page.locator("dialog").get_by_text("You were signed out. Nothing was changed").wait_for()
    assert page.locator("dialog").get_by_text("You were signed out.").count() == 1
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    _sign_in_again(opened.value)
    assert page.get_by_label("Name", exact=True).input_value() == "Production"
    create(page)

    page.get_by_label("Secret", exact=True).wait_for()
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
