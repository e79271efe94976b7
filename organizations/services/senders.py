"""Revokes invitations whose sender may no longer invite."""

from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from core.actors import Actor
from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import Invitation, InvitationQuerySet, Membership, Organization

_REASON: Final = "its sender can no longer invite"


def revoke_sent(membership: Membership, *, actor: Actor) -> int:
    """Revokes all open invitations that a member sent. Returns how many.

    Call inside an operation that holds the organization's lock.
    """
    sent = Invitation.objects.for_organization(membership.organization_id)
    return _revoke(sent.open().sent_by(membership.user_id), actor)


def revoke_without_authority(person_id: UUID, *, actor: Actor) -> int:
    """Revokes what a user sent, in any organization, and may no longer send.

    Call inside an operation that holds the locks of `lock_organizations_of`.
    """
    return _revoke(Invitation.objects.open().sent_by(person_id).without_authority(), actor)


def lock_organizations_of(person_id: UUID) -> None:
    """Locks every organization that a user may invite to, or has invited to.

    Call before locking the user's row: an operation with an organization's lock may wait for it.
    """
    memberships = Membership.objects.filter(user_id=person_id).values("organization_id")
    invitations = Invitation.objects.open().sent_by(person_id).values("organization_id")
    theirs = Organization.objects.filter(Q(id__in=memberships) | Q(id__in=invitations))
    list(theirs.order_by("id").select_for_update())


def _revoke(sent: InvitationQuerySet, actor: Actor) -> int:
    invitations = list(sent.order_by("id"))
    if invitations:
        chosen = Invitation.objects.filter(pk__in=[invitation.pk for invitation in invitations])
        chosen.update(revoked_at=timezone.now())
        revoked = [(invitation, {"reason": _REASON}) for invitation in invitations]
        audit.record_each(OrganizationEvent.INVITATION_REVOKED, revoked, actor=actor)
    return len(invitations)
