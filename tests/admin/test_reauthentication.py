"""Staff must reauthenticate before actions that a stolen session must not be able to do."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Model
from django.test import Client

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization, User
from tests.admin.support import act, everything, page, text
from tests.pages.support import RECORDS, grow_stale


@pytest.fixture
def stale(browser: Client) -> Client:
    """The browser of staff who signed in a while ago."""
    grow_stale(browser)
    return browser


def _leads_to_confirmation(answer: Any) -> str:
    """Where it leads back to."""
    followed = getattr(answer, "redirect_chain", None)
    where: str = followed[-1][0] if followed else answer["Location"]
    assert urlsplit(where).path == "/accounts/reauthenticate/"
    return parse_qs(urlsplit(where).query)["next"][0]


def test_the_page_for_a_new_key_asks_first(stale: Client, acme: Organization) -> None:
    address = f"{page(ApiKey, 'add')}?organization={acme.pk}"

    assert _leads_to_confirmation(stale.get(address)) == address


def test_a_form_over_which_the_sign_in_grew_old_makes_nothing_and_keeps_what_was_typed(
    stale: Client, acme: Organization
) -> None:
    before = everything()
    typed = {
        "organization": acme.pk,
        "name": "Typed name",
        "environment": "live",
        "scopes": "search:read",
    }

    answer = stale.post(page(ApiKey, "add"), typed)

    assert everything() == before
    assert "Typed name" in text(answer)
    assert "Your sign-in is too old for this." in text(answer)
    assert "sig_live_" not in text(answer)


@pytest.mark.parametrize(
    ("action", "of"),
    [
        ("enable", "key"),
        ("revoke", "key"),
        ("remove_second_factors", "person"),
        ("send_password_link", "person"),
    ],
)
def test_actions_ask_first(
    action: str, of: str, stale: Client, manager: Issued, admin: User
) -> None:
    row: Model = manager.key if of == "key" else admin
    before = everything()

    answer = act(stale, action, row, post="yes", reason="r")

    assert _leads_to_confirmation(answer) == page(type(row))
    assert everything() == before


def test_withdrawing_without_a_secret_to_gain_goes_on_at_once(
    stale: Client, manager: Issued
) -> None:
    act(stale, "disable", manager.key)

    assert ApiKey.objects.get(pk=manager.key.pk).disabled_at


def test_staff_who_sign_themselves_out_everywhere_are_led_to_the_sign_in(
    browser: Client, staff: User
) -> None:
    answer = act(browser, "end_sessions", staff)

    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    assert answer.status_code == 200
    assert RECORDS not in browser.session
    assert browser.get(page(User)).status_code == 302
