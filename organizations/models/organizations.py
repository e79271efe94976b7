"""Organizations and memberships."""

from typing import ClassVar, Final, Self
from uuid import UUID

from django.apps import apps
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from core import ids
from core.actors import Actor, ActorKind
from core.transactions import GuardedModel, GuardedQuerySet, M
from organizations.models.users import User
from organizations.roles import Role

DEFAULT_TIER: Final = "standard"


#: The largest limit of keys that an organization can be given.
MOST_KEYS: Final = 999_999_999


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
    memberships: MembershipQuerySet = Membership.objects.all()
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


class Organization(GuardedModel):
    """The owner of keys; called workspace and account in some wire formats."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    api_access_enabled = models.BooleanField(
        "API access", default=True, help_text="While off, every key of the organization is refused."
    )
    rate_limit_tier = models.CharField(max_length=30, default=DEFAULT_TIER)
    key_limit = models.PositiveIntegerField(
        "limit of keys",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_KEYS)],
        help_text="The most keys, deleted ones aside. Empty for the usual number, 0 for any.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id that interfaces show: ``org_…``."""
        return ids.public_id("org", self.id)

    @property
    def organization_id(self) -> UUID:
        """An organization belongs to itself, so that its events join its own trail."""
        return self.id


class Membership(GuardedModel):
    """A person in an organization."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=[(role, role.capitalize()) for role in Role])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    #: Open invitations that were revoked when the member lost the admin role.
    invitations_revoked = 0

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "user"], name="one_membership_per_person"
            ),
            models.CheckConstraint(condition=Q(role__in=list(Role)), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"
