"""Invitations by email: send, resend, revoke, accept.

Each new link invalidates earlier ones.
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
from organizations.email_names import text_for_email
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
from organizations.services.invitation_links import invitation_from_token, token_of
from organizations.services.organizations import locked

#: Makes the URL of the accept page from a token.
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
    """Creates an invitation and emails it after the commit.

    An expired invitation to the same address is revoked first. Conflict for members, for addresses
    with an open invitation, and above the hourly or daily limit.
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
    waiting = _refused("An invitation is already open. Resend it from Pending invitations.")
    with conflict_on("one_open_invitation_per_address", "email", waiting):
        invitation.save()
    audit.record(OrganizationEvent.INVITATION_CREATED, invitation, actor=actor)
    _mail_after_commit(invitation, link, actor)
    return invitation


@operation()
def resend_invitation(invitation: Invitation, *, link: Link, actor: Actor) -> Invitation:
    """Emails a new link with a new expiry. Earlier links stop working."""
    invitation = _locked_open(invitation, actor)
    if not _is_authorized(invitation):
        raise Conflict(f"{_SENDER_LOST} Revoke it and invite the person again.")
    _require_mailable(invitation.email)
    _require_within_limit(invitation.organization, invitation.email)
    invitation.nonce, invitation.expires_at = new_nonce(), next_end()
    invitation.save(update_fields=["nonce", "expires_at"])
    audit.record(OrganizationEvent.INVITATION_RESENT, invitation, actor=actor)
    _mail_after_commit(invitation, link, actor)
    return invitation


@operation()
def revoke_invitation(invitation: Invitation, *, actor: Actor) -> Invitation:
    """Conflict if the invitation is no longer open."""
    invitation = _locked_open(invitation, actor)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    audit.record(OrganizationEvent.INVITATION_REVOKED, invitation, actor=actor)
    return invitation


def _revoke_expired(organization: Organization, email: str, actor: Actor) -> None:
    own = Invitation.objects.for_organization(organization.id).open()
    for expired in own.filter(email=email, expires_at__lte=timezone.now()):
        revoke_invitation(expired, actor=actor)


@operation()
def accept_invitation(token: str, *, actor: Actor) -> Membership:
    """Makes the signed-in owner of the invited address a member.

    NotFound for an invalid or outdated link, Forbidden for anyone else, Conflict if the invitation
    is no longer open or the person is already a member.
    """
    person = policy.require_person(actor)
    organization = Organization.objects.select_for_update().get(
        pk=invitation_from_token(token).organization_id
    )
    invitation = invitation_from_token(token)
    require_invited(invitation, person)
    membership = Membership(organization=organization, user=person, role=invitation.role)
    with conflict_on("one_membership_per_person", "user_id", Conflict("You are already a member.")):
        membership.save()
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    audit.record(OrganizationEvent.INVITATION_ACCEPTED, invitation, actor=actor)
    return membership


def require_open(invitation: Invitation) -> None:
    """Raises Conflict if the invitation can't be accepted, with the reason."""
    if invitation.state in _OVER:
        raise Conflict(_OVER[invitation.state])
    if invitation.organization.closed_at:
        raise Conflict("This organization has been closed.")
    if not _is_authorized(invitation):
        raise Conflict(f"{_SENDER_LOST} Ask an admin for a new one.")


def require_invited(invitation: Invitation, person: User) -> None:
    """Raises if `person` may not accept `invitation` now.

    Conflict if it can't be accepted any more, Forbidden with both addresses for the wrong account.
    """
    require_open(invitation)
    if canonical_email(person.email) != canonical_email(invitation.email):
        raise Forbidden(
            f"This invitation is for {invitation.email}. You are signed in as {person.email}."
        )


def _is_authorized(invitation: Invitation) -> bool:
    # Checked again, because users can be deactivated in a shell or with SQL, which revokes nothing.
    return Invitation.objects.with_authority().filter(pk=invitation.pk).exists()


def _refused(message: str) -> Conflict:
    """A Conflict about the email field."""
    return Conflict(message, problems=Invalid.field("email", message).problems)


def _require_mailable(email: str) -> None:
    """Raises Conflict for an address from before the rules for new ones."""
    try:
        clean_email(email)
    except Invalid as refusal:
        message = f"Invitations to {email} can't be sent again. {refusal.message}"
        raise Conflict(f"{message} Revoke it and invite the person again.") from None


def _require_within_limit(organization: Organization, email: str) -> None:
    """Counts emails by their events. The organization's lock makes the count exact.

    Organizations that invite the same person at the same time may each exceed the daily limit by
    one.
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
    """Invitation emails of all organizations to one mailbox, ignoring what follows a “+”."""
    now = timezone.now()
    mailbox = mailbox_of(email)
    name, _, host = mailbox.rpartition("@")
    tagged = Q(email__startswith=f"{name}+", email__endswith=f"@{host}")
    sent = Invitation.objects.filter(Q(email=mailbox) | tagged)
    recent = sent.filter(expires_at__gt=now + LIFETIME - _DAY)  # each email moves it
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
    """Sets `mail_failed` on the invitation if the email can't be sent."""
    inviter = _shown_inviter(actor)
    transaction.on_commit(partial(_mail, invitation, link(token_of(invitation)), inviter))


def _shown_inviter(actor: Actor) -> str:
    """The inviter's name in quotation marks, empty for a user without one.

    The email address isn't shown instead: it can be chosen as freely as a name.
    """
    person = User.objects.filter(pk=actor.authority_id).first() if actor.authority_id else None
    return "" if person and not person.name.strip() else f"“{text_for_email(actor.label)}”"


def _mail(invitation: Invitation, link: str, inviter: str) -> None:
    context = {
        "invitation": invitation,
        "organization": invitation.organization,
        "inviter": inviter,
        "link": link,
    }
    invitation.mail_failed = not mail.send("invitation", invitation.email, context)
