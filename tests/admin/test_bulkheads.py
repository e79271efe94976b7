"""If too many threads wait, staff requests are rejected before any change and keep their input."""

from django.test import Client

from apikeys.services import Issued
from core import bulkheads
from organizations.models import Organization
from tests.admin.support import act, change, everything, messages, text
from tests.factories import ServiceAccountFactory

_REFUSED = "Too many changes are in progress. Try again in 1 second."


def test_a_change_page_is_shown_again(
    browser: Client, acme: Organization, no_place_free: None
) -> None:
    before = everything()

    response = browser.post(change(acme), {"name": "Acme Two", "rate_limit_tier": "high"})

    assert _REFUSED in text(response)
    assert 'value="Acme Two"' in text(response)
    assert everything() == before


def test_an_action_on_several_rows_does_nothing(
    browser: Client, acme: Organization, no_place_free: None
) -> None:
    accounts = [ServiceAccountFactory.create(organization=acme) for _ in range(2)]
    before = everything()

    response = act(browser, "disable", *accounts)

    assert messages(response) == [_REFUSED]
    assert everything() == before


def test_a_bulk_revocation_does_nothing(
    browser: Client, manager: Issued, no_place_free: None
) -> None:
    before = everything()

    response = act(browser, "revoke", manager.key, confirmed="yes", reason="Lost.")

    assert messages(response) == [_REFUSED]
    assert everything() == before


def test_places_are_given_back(
    browser: Client, acme: Organization, bulkheads_of_four: None
) -> None:
    account = ServiceAccountFactory.create(organization=acme)

    browser.post(change(acme), {"name": "Acme", "rate_limit_tier": "high"})
    act(browser, "disable", account)

    account.refresh_from_db()
    assert not account.enabled
    assert bulkheads.taken() == 0
