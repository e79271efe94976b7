"""Second factors from setup to removal: passkey, authenticator app, recovery codes."""

import re
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)

from organizations.models import User
from tests.browser.conftest import OpenPage
from tests.factories import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

DEVELOPER = re.compile(r"/o/acme/settings/developer/$")


@pytest.fixture
def page(sign_in: OpenPage) -> "Page":
    """Signed in by password on a name that passkeys accept, with a device of the browser's own."""
    page: Page = sign_in(host="localhost")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    return page


def _leave(page: "Page") -> None:
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Sign out").last.click()
    page.wait_for_url("**/accounts/login/**")


def _enter_password(page: "Page", admin: User, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _add_passkey(page: "Page", *, alone: bool) -> None:
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Allow sign-in with this passkey alone (no password)").set_checked(alone)
    page.get_by_role("button", name="Add passkey", exact=True).click()
    page.get_by_role("heading", name="Recovery codes").wait_for()


def test_a_passkey_signs_in_by_itself(page: "Page") -> None:
    _add_passkey(page, alone=True)
    page.goto("/accounts/2fa/webauthn/")
    assert page.get_by_text("Signs you in without a password").is_visible()

    _leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()

    page.wait_for_url(DEVELOPER)


def test_a_passkey_signs_in_while_wrong_passwords_go_on(page: "Page", admin: User) -> None:
    _add_passkey(page, alone=True)
    _leave(page)
    page.context.clear_cookies(name="device")
    for n in range(5):
        _enter_password(page, admin, f"wrong {n}")
        page.get_by_text("Email or password is incorrect.").wait_for()

    _enter_password(page, admin)
    page.get_by_text("Too many attempts. Try again in a few minutes.").wait_for()
    page.get_by_role("button", name="Sign in with a passkey").click()

    page.wait_for_url(DEVELOPER)


def test_a_passkey_is_the_second_step(page: "Page", admin: User) -> None:
    _add_passkey(page, alone=False)
    _leave(page)

    _enter_password(page, admin)
    page.get_by_role("heading", name="Two-factor authentication").wait_for()
    page.goto("/o/acme/settings/developer/")
    assert "/accounts/" in page.url
    page.get_by_role("button", name="Use a passkey").click()

    page.wait_for_url(DEVELOPER)


def test_a_removed_passkey_signs_nobody_in(page: "Page") -> None:
    _add_passkey(page, alone=True)
    page.goto("/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Remove Laptop").click()
    page.get_by_role("button", name="Remove passkey").click()
    page.get_by_text("Passkey removed.").wait_for()
    _leave(page)

    page.get_by_role("button", name="Sign in with a passkey").click()

    page.wait_for_load_state("networkidle")
    assert "/accounts/" in page.url
    page.goto("/o/acme/settings/developer/")
    page.wait_for_url("**/accounts/login/**")


def test_codes_of_an_app_and_for_the_day_it_is_lost(page: "Page", admin: User) -> None:
    page.goto("/accounts/2fa/totp/activate/")
    secret = page.get_by_label("Secret for the app").input_value()
    page.get_by_label("Authenticator code").fill(_code(secret))
    page.get_by_role("button", name="Turn on app").click()
    codes = (page.get_by_role("region", name="Recovery codes").text_content() or "").split()
    page.get_by_role("link", name="I've stored them").click()
    page.goto("/accounts/2fa/recovery-codes/")

    assert len(codes) == 10
    assert not set(codes) & set(page.locator("main").inner_text().split())
    assert "10 of 10 codes left" in page.locator("main").inner_text()

    for attempt in range(2):
        _leave(page)
        _enter_password(page, admin)
        page.get_by_label("Code").fill(codes[0])
        page.get_by_role("button", name="Sign in", exact=True).click()
        if attempt == 0:
            page.wait_for_url(DEVELOPER)
    page.get_by_text("Incorrect code.").first.wait_for()


def _code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))
