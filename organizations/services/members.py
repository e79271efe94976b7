"""Writes to memberships. The organization's lock ensures that one admin always remains."""

from core.actors import Actor
from core.exceptions import Conflict, ErrorCode, NotFound
from core.transactions import conflict_on, operation
from organizations import audit, policy
from organizations.events import OrganizationEvent
from organizations.models import Membership, Organization, User
from organizations.roles import Action, Role
from organizations.services.organizations import locked
from organizations.services.senders import revoke_sent


@operation()
def add_member(organization: Organization, *, user: User, role: Role, actor: Actor) -> Membership:
    """Conflict if `user` is already a member."""
    organization = locked(organization, Action.MANAGE_MEMBERS, actor)
    membership = Membership(organization=organization, user=user, role=role)
    taken = Conflict(f"{user.email} is already a member.")
    with conflict_on("one_membership_per_person", "user_id", taken):
        membership.save()
    details = {"role": role, "person": user.public_id}
    audit.record(OrganizationEvent.MEMBER_ADDED, membership, actor=actor, details=details)
    return membership


@operation()
def change_role(membership: Membership, *, role: Role, actor: Actor) -> Membership:
    """Changes a member's role. Conflict for the last admin.

    Revokes the open invitations of an admin who becomes a member, and counts them in the result.
    """
    membership = _locked_member(membership, actor)
    old = membership.role
    if old != role:
        _require_other_admin(membership)
        membership.role = role
        membership.save(update_fields=["role"])
        details = {"role": [old, role], "person": membership.user.public_id}
        audit.record(
            OrganizationEvent.MEMBER_ROLE_CHANGED, membership, actor=actor, details=details
        )
        if role != Role.ADMIN:
            membership.invitations_revoked = revoke_sent(membership, actor=actor)
    return membership


@operation()
def remove_member(membership: Membership, *, actor: Actor) -> int:
    """Removes a member and revokes their open invitations. Returns how many.

    Keys that they created stay: they belong to the organization.
    """
    membership = _locked_member(membership, actor)
    _require_other_admin(membership)
    details = {"role": membership.role, "person": membership.user.public_id}
    audit.record(OrganizationEvent.MEMBER_REMOVED, membership, actor=actor, details=details)
    revoked = revoke_sent(membership, actor=actor)
    membership.delete()
    return revoked


@operation()
def leave_organization(organization: Organization, *, actor: Actor) -> None:
    """Removes the actor's own membership and revokes their open invitations.

    Conflict for the last admin.
    """
    person = policy.require_person(actor)
    organization = locked(organization, Action.VIEW_ORGANIZATION, actor)
    membership = Membership.objects.select_related("user", "organization").get(
        organization=organization, user=person
    )
    _require_other_admin(membership)
    details = {"role": membership.role, "person": membership.user.public_id}
    audit.record(OrganizationEvent.MEMBER_LEFT, membership, actor=actor, details=details)
    revoke_sent(membership, actor=actor)
    membership.delete()


def may_leave(membership: Membership) -> bool:
    """Whether another admin who can sign in would remain."""
    admins = Membership.objects.for_organization(membership.organization_id).admins()
    others = admins.filter(user__is_active=True).exclude(pk=membership.pk)
    return membership.role != Role.ADMIN or others.exists()


def _locked_member(membership: Membership, actor: Actor) -> Membership:
    organization = locked(membership.organization, Action.MANAGE_MEMBERS, actor)
    current = (
        Membership.objects.for_organization(organization.id)
        .select_related("user", "organization")
        .filter(pk=membership.pk)
        .first()
    )
    if current is None:
        raise NotFound("This person is no longer a member.")
    return current


def _require_other_admin(membership: Membership) -> None:
    """Raises Conflict for the last admin who can sign in.

    The database also protects the last admin, active or not.
    """
    if not may_leave(membership):
        raise Conflict("An organization needs at least one admin.", code=ErrorCode.LAST_ADMIN)
