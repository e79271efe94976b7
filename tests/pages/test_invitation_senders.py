"""Invitations whose sender may no longer invite, for each reason and on each page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from core.actors import Actor
from core.exceptions import Conflict, DomainError
from organizations import services
from organizations.models import AuditEvent, Invitation, Membership, Organization, User
from organizations.roles import Role
from organizations.services.invitation_links import token_of
from tests.admin.support import act, change, enter
from tests.factories import SYSTEM, InvitationFactory, MembershipFactory, UserFactory
from tests.pages.support import html, sign_in
from tests.support.domain import at_once, nothing_written, person, unwritable_trail

MEMBERS = "/o/acme/settings/members/"
LEAVE = "/o/acme/settings/leave/"
ALIAS = "alias@elsewhere.example"


@pytest.fixture
def mallory(acme: Organization) -> User:
    """An admin of Acme next to Ada."""
    user: User = UserFactory.create(email="mallory@acme.example", name="Mallory")
    MembershipFactory.create(organization=acme, user=user, role=Role.ADMIN)
    return user


@pytest.fixture
def alias(db: None) -> User:
    """Another account of Mallory's."""
    user: User = UserFactory.create(email=ALIAS, name="Alias")
    return user


@pytest.fixture
def invitation(acme: Organization, mallory: User, alias: User) -> Invitation:
    """From Mallory to herself, as an admin."""
    made: Invitation = InvitationFactory.create(
        organization=acme, email=ALIAS, role=Role.ADMIN, actor=person(mallory)
    )
    return made


@pytest.fixture
def staff_browser(staff: User) -> Client:
    return enter(Client(), staff)


def _membership(user: User) -> Membership:
    return Membership.objects.get(user=user, organization__slug="acme")


def _removed_on_the_page(ada: Client, staff: Client, mallory: User) -> None:
    address = f"{MEMBERS}{_membership(mallory).pk}/remove/"
    assert ada.post(address).status_code == 303


def _demoted_on_the_page(ada: Client, staff: Client, mallory: User) -> None:
    address = f"{MEMBERS}{_membership(mallory).pk}/role/"
    assert ada.post(address, {"role": "member"}).status_code == 303


def _left(ada: Client, staff: Client, mallory: User) -> None:
    assert sign_in(mallory).post(LEAVE).status_code == 303


def _removed_by_staff(ada: Client, staff: Client, mallory: User) -> None:
    assert act(staff, "remove", _membership(mallory)).status_code == 200


def _demoted_by_staff(ada: Client, staff: Client, mallory: User) -> None:
    answer = staff.post(change(_membership(mallory)), {"role": "member"})
    assert answer.status_code == 302


def _deactivated_by_staff(ada: Client, staff: Client, mallory: User) -> None:
    form = {"email": mallory.email, "name": mallory.name}
    assert staff.post(change(mallory), form).status_code == 302


@pytest.mark.parametrize(
    "lose",
    [
        _removed_on_the_page,
        _demoted_on_the_page,
        _left,
        _removed_by_staff,
        _demoted_by_staff,
        _deactivated_by_staff,
    ],
)
def test_an_invitation_is_revoked_when_its_sender_loses_the_role(
    lose: Callable[[Client, Client, User], None],
    browser: Client,
    staff_browser: Client,
    mallory: User,
    alias: User,
    invitation: Invitation,
) -> None:
    kept = InvitationFactory.create(
        organization=invitation.organization, actor=person(_ada()), email="kept@acme.example"
    )
    lose(browser, staff_browser, mallory)
    refused = sign_in(alias).post(f"/invitations/{token_of(invitation)}/")

    assert refused.status_code == 409
    assert "This invitation was revoked." in html(refused)
    assert not Membership.objects.filter(user=alias).exists()
    event = AuditEvent.objects.get(event="invitation.revoked")
    assert (event.target_id, event.details) == (
        invitation.pk,
        {"reason": "its sender can no longer invite"},
    )
    assert list(Invitation.objects.open()) == [kept]


def _ada() -> User:
    return User.objects.get(email="ada@acme.example")


@pytest.mark.parametrize(
    "script",
    [
        "user.is_active = False; user.save()",
        "User.objects.filter(pk=user.pk).update(is_active=False)",
        "from core import transactions as t\nwith t.allowed(): user.memberships.all().delete()",
    ],
)
def test_a_sender_who_was_taken_out_past_the_services_invites_nobody(
    script: str, browser: Client, mallory: User, alias: User, invitation: Invitation
) -> None:
    found = f"from organizations.models import User; user = User.objects.get(pk='{mallory.pk}')\n"
    call_command("shell", command=found + script, verbosity=0)

    guest = sign_in(alias)
    asked = guest.get(f"/invitations/{token_of(invitation)}/")
    refused = guest.post(f"/invitations/{token_of(invitation)}/")
    again = browser.post(f"{MEMBERS}invitations/{invitation.pk}/", {"do": "resend"})

    for answer in (asked, refused, again):
        said = "The person who sent this invitation can no longer invite."
        assert said in html(answer)
    assert (refused.status_code, again.status_code, len(mail.outbox)) == (409, 409, 0)
    assert not Membership.objects.filter(user=alias).exists()


def test_reactivation_brings_no_invitation_back(
    staff_browser: Client, mallory: User, alias: User, invitation: Invitation
) -> None:
    """Also where the deactivation was not made on the pages."""
    User.objects.filter(pk=mallory.pk).update(is_active=False)
    form = {"email": mallory.email, "name": mallory.name, "is_active": "on"}
    assert staff_browser.post(change(mallory), form).status_code == 302

    refused = sign_in(alias).post(f"/invitations/{token_of(invitation)}/")

    assert (refused.status_code, Membership.objects.filter(user=alias).exists()) == (409, False)


def test_what_staff_have_sent_ends_with_their_power(
    staff_browser: Client, acme: Organization, alias: User
) -> None:
    colleague = UserFactory.create(email="col@latchkey.example", is_staff=True)
    actor = Actor.staff(colleague.pk, str(colleague))
    made = InvitationFactory.create(organization=acme, email=ALIAS, actor=actor)
    form = {"email": colleague.email, "name": colleague.name, "is_active": "on"}
    assert staff_browser.post(change(colleague), form).status_code == 302

    with pytest.raises(Conflict, match="was revoked"):
        services.accept_invitation(token_of(made), actor=person(alias))


def test_changes_that_take_no_power_revoke_nothing(
    browser: Client, staff_browser: Client, mallory: User, alias: User, invitation: Invitation
) -> None:
    browser.post(f"{MEMBERS}{_membership(mallory).pk}/role/", {"role": "admin"})
    form = {"email": mallory.email, "name": "Mallory Two", "is_active": "on", "is_staff": "on"}
    assert staff_browser.post(change(mallory), form).status_code == 302
    del form["is_staff"]
    assert staff_browser.post(change(mallory), form).status_code == 302

    assert sign_in(alias).post(f"/invitations/{token_of(invitation)}/").status_code == 303


def test_invitations_of_other_organizations_stay(
    browser: Client, mallory: User, globex: Organization, invitation: Invitation
) -> None:
    MembershipFactory.create(organization=globex, user=mallory, role=Role.ADMIN)
    other = InvitationFactory.create(organization=globex, email=ALIAS, actor=person(mallory))

    _removed_on_the_page(browser, browser, mallory)

    assert list(Invitation.objects.open()) == [other]


def _words(response: Any) -> str:
    """The text of a page, with single spaces."""
    return " ".join(strip_tags(response.content.decode()).split())


def test_the_page_of_a_removal_shows_whom_the_person_has_invited(
    browser: Client, acme: Organization, mallory: User, alias: User, invitation: Invitation
) -> None:
    friend = UserFactory.create(email="friend@elsewhere.example", name="Friend")
    joined = InvitationFactory.create(
        organization=acme, email=friend.email, role=Role.ADMIN, actor=person(mallory)
    )
    services.accept_invitation(token_of(joined), actor=person(friend))
    InvitationFactory.create(organization=acme, email="kept@acme.example", actor=SYSTEM)
    with time_machine.travel(timezone.now() - timedelta(days=8)):
        InvitationFactory.create(
            organization=acme, email="late@elsewhere.example", actor=person(mallory)
        )

    page = _words(browser.get(f"{MEMBERS}{_membership(mallory).pk}/remove/"))
    listed = html(browser.get(MEMBERS))

    assert f"{ALIAS} Admin Expires" in page
    assert "late@elsewhere.example Member Expired" in page
    assert "Friend friend@elsewhere.example Admin" in page
    assert "kept@acme.example" not in page
    assert "Invited by Mallory" in listed


def test_changing_a_role_and_leaving_say_so(
    browser: Client, mallory: User, invitation: Invitation
) -> None:
    theirs = _words(sign_in(mallory).get(LEAVE))
    address = f"{MEMBERS}{_membership(mallory).pk}/role/"
    changed = html(browser.post(address, {"role": "member"}, follow=True))

    assert f"{ALIAS} Admin Expires" in theirs
    assert "Mallory is now a member. Pending invitations they sent were revoked (1)." in changed


def test_without_an_event_nothing_is_revoked(mallory: User, invitation: Invitation) -> None:
    with nothing_written(), unwritable_trail(), pytest.raises(Exception, match="no_event_can"):
        services.remove_member(_membership(mallory), actor=SYSTEM)


@pytest.mark.parametrize("attempt", range(5))
def test_an_invitation_sent_while_its_sender_is_deactivated_opens_nothing(
    committed: None, attempt: int
) -> None:
    acme, mallory = _acme_with_two_admins()
    alias = UserFactory.create(email=ALIAS)

    def deactivate() -> None:
        found = User.objects.get(pk=mallory.pk)
        found.is_active = False
        services.save_person(found, changed=["is_active"], actor=SYSTEM)

    def invite() -> Any:
        return services.invite(
            acme, email=ALIAS, role=Role.ADMIN, link="x{}".format, actor=person(mallory)
        )

    outcomes = at_once([deactivate, invite])

    assert outcomes[0] is None
    assert isinstance(outcomes[1], Invitation | DomainError)
    assert not Invitation.objects.open().exists()
    if isinstance(outcomes[1], Invitation):
        with pytest.raises(DomainError):
            services.accept_invitation(token_of(outcomes[1]), actor=person(alias))


def _acme_with_two_admins() -> tuple[Organization, User]:
    made = MembershipFactory.create(role=Role.ADMIN)
    return made.organization, made.user
