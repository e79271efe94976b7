"""Invitations: who may accept them, only once, and what the email says."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from core.exceptions import Conflict, DomainError, Forbidden, Invalid, NotFound
from organizations import services
from organizations.models import AuditEvent, Invitation, Membership, Organization, User
from organizations.roles import Role
from organizations.services.invitation_links import invitation_from_token, token_of
from organizations.services.invitations import HOURLY_LIMIT
from tests.factories import (
    SYSTEM,
    InvitationFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
)
from tests.support.domain import at_once, every_row, nothing_written, person, unwritable_trail

link = "https://keys.example.com/invitations/{}/".format


@pytest.fixture
def dana(db: None) -> User:
    """The owner of the invited address."""
    return UserFactory.create(email="dana@acme.example", name="Dana")


@pytest.fixture
def invitation(acme: Organization) -> Invitation:
    """Dana's."""
    made: Invitation = InvitationFactory.create(
        organization=acme, email=" Dana@ACME.example ", role=Role.ADMIN
    )
    return made


def test_the_invited_person_becomes_what_they_were_invited_as(
    invitation: Invitation, dana: User
) -> None:
    membership = services.accept_invitation(token_of(invitation), actor=person(dana))

    assert (membership.user, membership.role) == (dana, Role.ADMIN)
    event = AuditEvent.objects.latest("id")
    assert (event.event, event.actor_label) == ("invitation.accepted", "Dana")
    assert event.target_label == "dana@acme.example (admin)"
    assert event.organization_id == invitation.organization_id


def test_the_wrong_account_is_named_and_refused(invitation: Invitation, outsider: User) -> None:
    with nothing_written(), pytest.raises(Forbidden) as refusal:
        services.accept_invitation(token_of(invitation), actor=person(outsider))

    assert refusal.value.message == (
        "This invitation is for dana@acme.example. You are signed in as gina@globex.example."
    )


@pytest.mark.parametrize("part", ["staff", "system", "manager"])
def test_nobody_accepts_for_somebody_else(
    part: str, invitation: Invitation, act_as: Callable[[str], Any]
) -> None:
    actor = act_as(part)

    with nothing_written(), pytest.raises(Forbidden, match="Only the person themselves"):
        services.accept_invitation(token_of(invitation), actor=actor)


def test_a_deactivated_person_cannot_accept(invitation: Invitation, dana: User) -> None:
    dana.is_active = False
    dana.save()

    with nothing_written(), pytest.raises(NotFound):
        services.accept_invitation(token_of(invitation), actor=person(dana))


def test_an_invitation_is_good_for_one_time(invitation: Invitation, dana: User) -> None:
    token = token_of(invitation)
    membership = services.accept_invitation(token, actor=person(dana))
    MembershipFactory.create(organization=invitation.organization, role=Role.ADMIN)
    services.remove_member(membership, actor=SYSTEM)

    with nothing_written(), pytest.raises(Conflict, match="accepted already"):
        services.accept_invitation(token, actor=person(dana))


def test_a_revoked_invitation_is_over(invitation: Invitation, dana: User) -> None:
    services.revoke_invitation(invitation, actor=SYSTEM)

    with nothing_written(), pytest.raises(Conflict, match="was revoked"):
        services.accept_invitation(token_of(invitation), actor=person(dana))
    with nothing_written(), pytest.raises(Conflict, match="was revoked"):
        services.revoke_invitation(invitation, actor=SYSTEM)
    with nothing_written(), pytest.raises(Conflict, match="was revoked"):
        services.resend_invitation(invitation, link=link, actor=SYSTEM)


@pytest.mark.parametrize(("days", "over"), [(6.99, False), (7.01, True)])
def test_an_invitation_lasts_seven_days(
    invitation: Invitation, dana: User, days: float, over: bool
) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=days)):
        accept = partial(services.accept_invitation, token_of(invitation), actor=person(dana))
        if not over:
            accept()
        else:
            with pytest.raises(Conflict, match="has expired"):
                accept()

    assert Membership.objects.filter(user=dana).exists() is not over


def test_sending_it_again_ends_older_links_and_begins_a_new_week(
    invitation: Invitation, dana: User
) -> None:
    old = token_of(invitation)
    later = timezone.now() + timedelta(days=8)
    with time_machine.travel(later):
        again = services.resend_invitation(invitation, link=link, actor=SYSTEM)
        with nothing_written(), pytest.raises(NotFound, match="newer email"):
            services.accept_invitation(old, actor=person(dana))
        services.accept_invitation(token_of(again), actor=person(dana))

    assert Membership.objects.filter(user=dana).exists()


def test_a_link_that_was_changed_or_invented_is_none(invitation: Invitation) -> None:
    token = token_of(invitation)
    assert invitation_from_token(token) == invitation

    for other in ("", "x", "a.b.c", token[:-1], token.replace("inv_", "org_"), token + "\x00"):
        with pytest.raises(NotFound):
            invitation_from_token(other)


def test_a_member_is_told_so(invitation: Invitation, dana: User) -> None:
    MembershipFactory.create(organization=invitation.organization, user=dana)

    with nothing_written(), pytest.raises(Conflict, match="already a member"):
        services.accept_invitation(token_of(invitation), actor=person(dana))


@pytest.mark.parametrize(
    ("email", "refusal", "message"),
    [
        ("MAX@acme.example", Conflict, "They are already a member."),
        (
            "Dana@acme.example",
            Conflict,
            "An invitation is already open. Resend it from Pending invitations.",
        ),
        ("dana", Invalid, "Enter an email address like name@example.com."),
        ("", Invalid, "Enter an email address like name@example.com."),
        ("a\x00@acme.example", Invalid, "Remove the control or text-direction characters."),
        (f"{'a' * 250}@acme.example", Invalid, "Use 254 characters or fewer. You have used 263."),
    ],
)
@pytest.mark.usefixtures("invitation", "member")
def test_an_address_that_cannot_be_invited_is_refused_on_its_field(
    acme: Organization, email: str, refusal: type[DomainError], message: str
) -> None:
    with nothing_written(), pytest.raises(refusal) as refused:
        services.invite(acme, email=email, role=Role.MEMBER, link=link, actor=SYSTEM)

    assert [(p.field, p.message) for p in refused.value.problems] == [("email", message)]


def test_after_an_end_an_address_can_be_invited_anew(
    acme: Organization, invitation: Invitation
) -> None:
    services.revoke_invitation(invitation, actor=SYSTEM)

    again = InvitationFactory.create(organization=acme, email=invitation.email)

    assert again.pk != invitation.pk


def test_an_address_can_be_invited_to_two_organizations(
    globex: Organization, invitation: Invitation
) -> None:
    InvitationFactory.create(organization=globex, email=invitation.email)

    assert Invitation.objects.open().count() == 2


def test_the_mails_of_an_hour_are_bounded_for_each_organization(
    acme: Organization, globex: Organization, invitation: Invitation
) -> None:
    for _ in range(HOURLY_LIMIT - 1):
        last = InvitationFactory.create(organization=acme)

    with nothing_written(), pytest.raises(Conflict, match="within an hour"):
        services.resend_invitation(last, link=link, actor=SYSTEM)
    with nothing_written(), pytest.raises(Conflict, match="within an hour"):
        InvitationFactory.create(organization=acme)
    InvitationFactory.create(organization=globex)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        InvitationFactory.create(organization=acme)


def test_the_mail_goes_out_after_the_commit_and_has_the_newest_link(
    acme: Organization, admin: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        made = services.invite(
            acme, email="dana@acme.example", role=Role.MEMBER, link=link, actor=person(admin)
        )
        assert mail.outbox == []

    (sent,) = mail.outbox
    assert sent.to == ["dana@acme.example"]
    assert sent.subject == "“Ada Acme” invites you to join “Acme” on Latchkey"
    assert f"\n{link(token_of(made))}\n" in sent.body
    assert "as a member" in sent.body
    assert made.mail_failed is False


def test_names_in_the_mail_are_left_as_they_are(
    admin: User, django_capture_on_commit_callbacks: Any
) -> None:
    organization = OrganizationFactory.create(name="Fish & <Chips>", admin=admin)
    with django_capture_on_commit_callbacks(execute=True):
        InvitationFactory.create(organization=organization, actor=person(admin))

    assert "Fish & <Chips>" in mail.outbox[0].subject
    assert "join “Fish & <Chips>” on" in mail.outbox[0].body


def test_a_mail_that_fails_leaves_the_invitation(
    acme: Organization, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    with django_capture_on_commit_callbacks(execute=True):
        made = InvitationFactory.create(organization=acme)

    assert made.mail_failed
    assert Invitation.objects.open().get() == made


def test_no_mail_goes_out_for_what_was_rolled_back(
    acme: Organization, django_capture_on_commit_callbacks: Any
) -> None:
    with (
        django_capture_on_commit_callbacks(execute=True) as callbacks,
        unwritable_trail(),
        pytest.raises(Exception, match="no_event_can_be_written"),
    ):
        InvitationFactory.create(organization=acme)

    assert (callbacks, mail.outbox) == ([], [])


def test_acceptance_whose_event_cannot_be_written_leaves_nothing(
    invitation: Invitation, dana: User
) -> None:
    with (
        nothing_written(),
        unwritable_trail(),
        pytest.raises(Exception, match="no_event_can_be_written"),
    ):
        services.accept_invitation(token_of(invitation), actor=person(dana))


def test_the_link_is_stored_nowhere(acme: Organization, admin: User) -> None:
    made = InvitationFactory.create(organization=acme, actor=person(admin))

    rows = every_row()
    assert made.nonce in str(rows.pop("Invitation"))
    assert made.nonce not in str(rows)
    assert token_of(made).rpartition(".")[2] not in str(every_row())


@pytest.mark.usefixtures("committed")
def test_of_many_who_accept_at_once_exactly_one_does() -> None:
    acme = OrganizationFactory.create()
    invitation = InvitationFactory.create(organization=acme, email="dana@acme.example")
    dana = UserFactory.create(email="dana@acme.example")
    accept = partial(services.accept_invitation, token_of(invitation), actor=person(dana))

    outcomes = at_once([accept] * 6)

    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict"] * 5 + ["Membership"]
    assert AuditEvent.objects.filter(event="invitation.accepted").count() == 1


@pytest.mark.usefixtures("committed")
def test_either_the_acceptance_or_the_revocation_wins() -> None:
    acme = OrganizationFactory.create()
    invitation = InvitationFactory.create(organization=acme, email="dana@acme.example")
    dana = UserFactory.create(email="dana@acme.example")

    outcomes = at_once(
        [
            partial(services.accept_invitation, token_of(invitation), actor=person(dana)),
            partial(services.revoke_invitation, invitation, actor=SYSTEM),
        ]
    )

    refused = [o for o in outcomes if isinstance(o, Exception)]
    assert [type(o) for o in refused] == [Conflict]
    invitation.refresh_from_db()
    assert (invitation.accepted_at is None) != (invitation.revoked_at is None)
    joined = Membership.objects.filter(user=dana).exists()
    assert joined is (invitation.accepted_at is not None)


@pytest.mark.usefixtures("committed")
def test_of_many_invitations_of_one_address_at_once_one_is_made() -> None:
    acme = OrganizationFactory.create()
    invite = partial(InvitationFactory.create, organization=acme, email="dana@acme.example")

    outcomes = at_once([invite] * 5)

    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict"] * 4 + ["Invitation"]
