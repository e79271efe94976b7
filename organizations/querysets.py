"""Who may see what. Every read begins at one of these."""

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.apps import apps
from django.db import models

from organizations.actors import Actor, ActorKind
from organizations.writes import GuardedQuerySet, M

if TYPE_CHECKING:
    from organizations.models import (
        AuditEvent,
        Invitation,
        Membership,
        Organization,
        ServiceAccount,
    )


class OwnedQuerySet(GuardedQuerySet[M]):
    """Rows that belong to an organization through `organization_id`."""

    def for_organization(self, organization_id: UUID) -> Self:
        """The rows of one organization."""
        return self.filter(organization_id=organization_id)

    def visible_to(self, actor: Actor) -> Self:
        """What `actor` may know of: a key its own organization's, a person their organizations'."""
        if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.all()
        if actor.kind is ActorKind.KEY and actor.organization_id:
            return self.for_organization(actor.organization_id)
        if actor.kind is ActorKind.PERSON:
            return self.filter(organization_id__in=_organizations_of(actor))
        return self.none()


def _organizations_of(actor: Actor) -> models.QuerySet["Membership", UUID]:
    """Ids of the organizations of a person; models lie above this module, hence the look-up."""
    memberships: MembershipQuerySet = apps.get_model("organizations", "Membership").objects.all()
    return memberships.filter(user_id=actor.principal_id, user__is_active=True).values_list(
        "organization_id", flat=True
    )


class OrganizationQuerySet(GuardedQuerySet["Organization"]):
    """Organizations, as their keys, members and staff see them."""

    def visible_to(self, actor: Actor) -> Self:
        """A key sees its own organization, a person theirs, staff and the system all."""
        if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.all()
        if actor.kind is ActorKind.KEY:
            return self.filter(id=actor.organization_id)
        return self.filter(id__in=_organizations_of(actor))


class MembershipQuerySet(OwnedQuerySet["Membership"]):
    """People in organizations."""

    def admins(self) -> Self:
        """The memberships with the admin role."""
        return self.filter(role="admin")

    def with_second_factor(self) -> Self:
        """Each with `has_second_factor`: whether the person signs in with more than a password."""
        factors = apps.get_model("mfa", "Authenticator").objects.exclude(type="recovery_codes")
        mine = factors.filter(user_id=models.OuterRef("user_id"))
        return self.annotate(has_second_factor=models.Exists(mine))


class ServiceAccountQuerySet(OwnedQuerySet["ServiceAccount"]):
    """Machine principals of organizations."""


class InvitationQuerySet(OwnedQuerySet["Invitation"]):
    """Invitations to organizations."""

    def open(self) -> Self:
        """Those that can be accepted, or sent again where they have expired."""
        return self.filter(accepted_at=None, revoked_at=None)


class AuditEventQuerySet(OwnedQuerySet["AuditEvent"]):
    """The audit trail."""
