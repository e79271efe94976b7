"""Staff view and revoke invitations, but never see their links."""

import pytest
from django.test import Client

from organizations.models import Invitation, Organization, User
from organizations.services.invitation_links import token_of
from tests.admin.conftest import BrowserOf
from tests.admin.support import act, change, messages, only_event, page, text
from tests.factories import InvitationFactory
from tests.support.domain import nothing_written


@pytest.fixture
def invitation(acme: Organization) -> Invitation:
    """An open one."""
    made: Invitation = InvitationFactory.create(organization=acme, email="nora@new.example")
    return made


def test_staff_see_who_was_invited_and_no_link(browser: Client, invitation: Invitation) -> None:
    for address in (page(Invitation), change(invitation)):
        shown = text(browser.get(address))

        assert "nora@new.example" in shown
        assert "waiting" in shown
        assert invitation.nonce not in shown
        assert token_of(invitation) not in shown


def test_staff_revoke(browser: Client, invitation: Invitation, staff: User) -> None:
    answer = act(browser, "revoke", invitation)

    invitation.refresh_from_db()
    assert messages(answer) == ["Revoked invitations: 1."]
    assert invitation.state == "revoked"
    assert only_event("invitation.revoked", staff).target_id == invitation.pk


def test_one_that_is_over_stays_as_it_is(browser: Client, invitation: Invitation) -> None:
    act(browser, "revoke", invitation)

    assert messages(act(browser, "revoke", invitation)) == [
        f"{invitation}: This invitation was revoked."
    ]


def test_looking_is_not_revoking(clerk_with: BrowserOf, invitation: Invitation) -> None:
    client = clerk_with("view_invitation")

    with nothing_written():
        act(client, "revoke", invitation)
        answers = [client.post(change(invitation), {"role": "admin"})]
        answers.append(client.post(page(Invitation, "add"), {"email": "x@new.example"}))

    assert [answer.status_code for answer in answers] == [403, 403]
