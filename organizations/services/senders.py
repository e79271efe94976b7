"""What becomes of invitations whose sender loses the right to invite."""

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
    """Revokes all open invitations that a member has sent; returns how many there were.

    Call inside an operation that holds the lock on the organization.
    """
    sent = Invitation.objects.for_organization(membership.organization_id)
    return _revoke(sent.open().sent_by(membership.user_id), actor)


def revoke_without_authority(person_id: UUID, *, actor: Actor) -> int:
    """Revokes what a person has sent, in any organization, and could no longer send today.

    Call inside an operation that holds the locks of `lock_organizations_of`.
    """
    return _revoke(Invitation.objects.open().sent_by(person_id).without_authority(), actor)


def lock_organizations_of(person_id: UUID) -> None:
    """Locks every organization that a person could invite to, or has invited to.

    Before the row of the person is locked: an operation that holds an organization's lock may wait
    for that row.
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
