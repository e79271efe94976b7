"""Invitations by e-mail: sent, sent again, revoked, accepted.

Each new link ends the ones before it.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.actors import Actor
from core.exceptions import Conflict, Forbidden, Invalid
from core.text import canonical_email, clean_email, mailbox_of
from core.transactions import conflict_on, operation
from organizations import audit, mail, policy
from organizations.email_names import in_mail
from organizations.events import OrganizationEvent
from organizations.models import (
    AuditEvent,
    Invitation,
    InvitationState,
    Membership,
    Organization,
    User,
)
from organizations.models.invitations import LIFETIME, new_nonce, next_end
from organizations.roles import Action, Role
from organizations.services.invitation_links import invitation_behind, token_of
from organizations.services.organizations import locked

#: From a token to the address of the page where it is accepted.
Link = Callable[[str], str]

HOURLY_LIMIT: Final = 50
#: Invitation emails to one recipient, from all organizations together.
DAILY_LIMIT: Final = 5
_DAY: Final = timedelta(days=1)
MAILED: Final = (OrganizationEvent.INVITATION_CREATED, OrganizationEvent.INVITATION_RESENT)
_SENDER_LOST: Final = "The person who sent this invitation can no longer invite."
_OVER: Final = {
    InvitationState.ACCEPTED: "This invitation has been accepted already.",
    InvitationState.REVOKED: "This invitation was revoked. Ask an admin for a new one.",
    InvitationState.EXPIRED: "This invitation has expired. Ask an admin to send it again.",
}


@operation()
def invite(
    organization: Organization, *, email: str, role: Role, link: Link, actor: Actor
) -> Invitation:
    """Mails an invitation, once the transaction has been committed.

    One that has expired is revoked first: it holds no address. Conflict for members, for addresses
    with an open invitation, and beyond the hourly limit.
    """
    organization = locked(organization, Action.MANAGE_MEMBERS, actor)
    email = clean_email(email)
    if Membership.objects.for_organization(organization.id).filter(user__email=email):
        raise _refused("They are already a member.")
    _require_within_limit(organization, email)
    _revoke_expired(organization, email, actor)
    invitation = Invitation(
        organization=organization, email=email, role=role, invited_by_id=actor.authority_id
    )
    waiting = _refused("An invitation is already open. Use Resend below to send it again.")
    with conflict_on("one_open_invitation_per_address", "email", waiting):
        invitation.save()
    audit.record(OrganizationEvent.INVITATION_CREATED, invitation, actor=actor)
    _mail_after_commit(invitation, link, actor)
    return invitation


@operation()
def resend_invitation(invitation: Invitation, *, link: Link, actor: Actor) -> Invitation:
    """Mails a new link with a new end; the links before it stop working."""
    invitation = _locked_open(invitation, actor)
    if not _is_authorized(invitation):
        raise Conflict(f"{_SENDER_LOST} Revoke it, and invite the person again.")
    _require_mailable(invitation.email)
    _require_within_limit(invitation.organization, invitation.email)
    invitation.nonce, invitation.expires_at = new_nonce(), next_end()
    invitation.save(update_fields=["nonce", "expires_at"])
    audit.record(OrganizationEvent.INVITATION_RESENT, invitation, actor=actor)
    _mail_after_commit(invitation, link, actor)
    return invitation


@operation()
def revoke_invitation(invitation: Invitation, *, actor: Actor) -> Invitation:
    """Ends an invitation for good; Conflict where somebody was first."""
    invitation = _locked_open(invitation, actor)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    audit.record(OrganizationEvent.INVITATION_REVOKED, invitation, actor=actor)
    return invitation


def _revoke_expired(organization: Organization, email: str, actor: Actor) -> None:
    mine = Invitation.objects.for_organization(organization.id).open()
    for expired in mine.filter(email=email, expires_at__lte=timezone.now()):
        revoke_invitation(expired, actor=actor)


@operation()
def accept_invitation(token: str, *, actor: Actor) -> Membership:
    """Makes the signed-in owner of the invited address a member.

    NotFound for a link that is none or is no longer the newest, Forbidden for anybody else,
    Conflict for invitations that are over and people who are members already.
    """
    person = policy.require_person(actor)
    organization = Organization.objects.select_for_update().get(
        pk=invitation_behind(token).organization_id
    )
    invitation = invitation_behind(token)
    require_invited(invitation, person)
    membership = Membership(organization=organization, user=person, role=invitation.role)
    with conflict_on("one_membership_per_person", "user_id", Conflict("You are already a member.")):
        membership.save()
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    audit.record(OrganizationEvent.INVITATION_ACCEPTED, invitation, actor=actor)
    return membership


def require_open(invitation: Invitation) -> None:
    """Returns if the invitation can be accepted.

    Conflict, with the reason, if it is over or its sender can no longer invite.
    """
    if invitation.state in _OVER:
        raise Conflict(_OVER[invitation.state])
    if not _is_authorized(invitation):
        raise Conflict(f"{_SENDER_LOST} Ask an admin for a new one.")


def require_invited(invitation: Invitation, person: User) -> None:
    """Returns if `person` may accept `invitation` now.

    Conflict where the invitation is over or its sender can no longer invite; Forbidden, with both
    addresses, for the wrong account.
    """
    require_open(invitation)
    if canonical_email(person.email) != canonical_email(invitation.email):
        raise Forbidden(
            f"This invitation is for {invitation.email}. You are signed in as {person.email}."
        )


def _is_authorized(invitation: Invitation) -> bool:
    """Also without a service that revoked it: people can be deactivated in a shell or in SQL."""
    return Invitation.objects.with_authority().filter(pk=invitation.pk).exists()


def _refused(message: str) -> Conflict:
    """A refusal that belongs to the field of the address."""
    return Conflict(message, problems=Invalid.field("email", message).problems)


def _require_mailable(email: str) -> None:
    """An address from before the rule for new ones may name a mailbox in a way of its own."""
    try:
        clean_email(email)
    except Invalid as refusal:
        message = f"Invitations to {email} can't be sent again. {refusal.message}"
        raise Conflict(f"{message} Revoke it, and invite the person again.") from None


def _require_within_limit(organization: Organization, email: str) -> None:
    """Mails are counted by their events, which the lock on the organization keeps in turn.

    Organizations that invite the same person at the same moment may exceed the daily limit by one
    email each.
    """
    hour = timezone.now() - timedelta(hours=1)
    recent = AuditEvent.objects.for_organization(organization.id).since(hour)
    mailed = recent.filter(event__in=MAILED)
    if mailed.count() >= HOURLY_LIMIT:
        raise Conflict(
            f"This organization has sent {HOURLY_LIMIT} invitations within an hour."
            " Wait a while before you send more."
        )
    if _mails_of_a_day(email) >= DAILY_LIMIT:
        raise _refused(
            f"{DAILY_LIMIT} invitations were sent to this email address within a day."
            " Send more tomorrow."
        )


def _mails_of_a_day(email: str) -> int:
    """Invitation emails of all organizations to one mailbox, whatever follows a “+” in it."""
    now = timezone.now()
    mailbox = mailbox_of(email)
    name, _, host = mailbox.rpartition("@")
    tagged = Q(email__startswith=f"{name}+", email__endswith=f"@{host}")
    sent = Invitation.objects.filter(Q(email=mailbox) | tagged)
    recent = sent.filter(expires_at__gt=now + LIFETIME - _DAY)  # which each email moves
    ids = list(recent.values_list("pk", flat=True))
    mailed = AuditEvent.objects.since(now - _DAY).filter(target_id__in=ids, event__in=MAILED)
    return mailed.count() if ids else 0


def _locked_open(invitation: Invitation, actor: Actor) -> Invitation:
    locked(invitation.organization, Action.MANAGE_MEMBERS, actor)
    current = Invitation.objects.select_related("organization").get(pk=invitation.pk)
    if current.accepted_at or current.revoked_at:
        raise Conflict(_OVER[current.state].partition(".")[0] + ".")
    return current


def _mail_after_commit(invitation: Invitation, link: Link, actor: Actor) -> None:
    """Leaves on the invitation whether its mail could be sent."""
    inviter = _shown_inviter(actor)
    transaction.on_commit(partial(_mail, invitation, link(token_of(invitation)), inviter))


def _shown_inviter(actor: Actor) -> str:
    """The name in quotation marks; empty for a person without one.

    Whoever signs up chooses their address as freely as a name, so that it is not shown in its
    place.
    """
    person = User.objects.filter(pk=actor.authority_id).first() if actor.authority_id else None
    return "" if person and not person.name.strip() else f"“{in_mail(actor.label)}”"


def _mail(invitation: Invitation, link: str, inviter: str) -> None:
    context = {
        "invitation": invitation,
        "organization": invitation.organization,
        "inviter": inviter,
        "link": link,
    }
    invitation.mail_failed = not mail.send("invitation", invitation.email, context)
