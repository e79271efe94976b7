"""Passkeys that can't be used say why. Without scripts they are not offered."""

from typing import TYPE_CHECKING

import pytest

from organizations.models import User
from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADD = "/accounts/2fa/webauthn/add/"
IP_ADDRESS = "Passkeys don't work on an IP address."
CANCELED = "No passkey was used: the request was canceled or timed out."


def _refuse(page: "Page") -> None:
    """The browser's device is there, and its user isn't the one it knows."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": False,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def _add(page: "Page") -> None:
    page.goto(ADD)
    page.get_by_label("Allow sign-in with this passkey alone (no password)").check()
    page.get_by_role("button", name="Add passkey", exact=True).click()


def test_signing_in_on_an_ip_address_says_where_passkeys_work(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/accounts/login/?next=/docs/")

    page.get_by_role("button", name="Sign in with a passkey").click()

    alert = page.get_by_role("alert")
    alert.get_by_text(IP_ADDRESS).wait_for()
    alert.get_by_role("link", name="Open http://localhost:").click()
    page.wait_for_url("http://localhost:*/accounts/login/?next=/docs/")


def test_adding_on_an_ip_address_says_so(sign_in: OpenPage) -> None:
    page = sign_in()

    _add(page)

    page.get_by_role("alert").get_by_text(IP_ADDRESS).wait_for()


def test_without_https_the_reason_is_said(open_page: OpenPage, admin: User) -> None:
    page = open_page(host="testserver")
    page.goto("/accounts/login/")

    page.get_by_role("button", name="Sign in with a passkey").click()

    page.get_by_role("alert").get_by_text("they need HTTPS").wait_for()


def test_a_refused_verification_is_said_once(sign_in: OpenPage) -> None:
    page = sign_in(host="localhost")
    _refuse(page)

    _add(page)
    page.get_by_role("alert").get_by_text(CANCELED).wait_for()
    page.get_by_role("button", name="Add passkey", exact=True).click()
    page.get_by_role("alert").get_by_text(CANCELED).wait_for()

    assert page.get_by_role("alert").count() == 1
    assert page.url.endswith(ADD)


def test_a_server_that_is_away_is_said(open_page: OpenPage) -> None:
    page = open_page(host="localhost")
    page.goto("/accounts/login/")
    page.route("**/accounts/2fa/webauthn/login/", lambda route: route.abort())

    page.get_by_role("button", name="Sign in with a passkey").click()

    page.get_by_role("alert").get_by_text("The server couldn't be reached.").wait_for()


@pytest.mark.parametrize("address", ["/accounts/login/", ADD])
def test_without_scripts_no_passkey_is_offered(sign_in: OpenPage, address: str) -> None:
    page = sign_in(java_script_enabled=False)
    if address != ADD:
        page.context.clear_cookies()
    page.goto(address)

    assert page.get_by_role("heading", level=1).is_visible()
    assert not page.get_by_role("button", name="passkey").locator("visible=true").count()
    assert not page.get_by_role("button", name="Add passkey", exact=True).count()
    assert page.get_by_text("Passkeys need JavaScript.").is_visible()
