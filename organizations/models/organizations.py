"""Organizations and memberships."""

from typing import ClassVar, Final, Self
from uuid import UUID

from django.apps import apps
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from core import ids
from core.actors import Actor, ActorKind
from core.timestamps import days_in_words
from core.transactions import GuardedModel, GuardedQuerySet, M
from organizations.models.users import User
from organizations.roles import Role

DEFAULT_TIER: Final = "standard"


#: The highest key limit that can be set.
MOST_KEYS: Final = 999_999_999

#: The usual expiries of a new key, in days.
KEY_PERIODS: Final = (7, 30, 60, 90, 180, 365)


class OwnedQuerySet(GuardedQuerySet[M]):
    """Rows that belong to an organization through `organization_id`."""

    def for_organization(self, organization_id: UUID) -> Self:
        return self.filter(organization_id=organization_id)

    def visible_to(self, actor: Actor) -> Self:
        """A key sees its own organization's rows, a person their open organizations' rows."""
        if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.all()
        if actor.kind is ActorKind.KEY and actor.organization_id:
            return self.for_organization(actor.organization_id)
        if actor.kind is ActorKind.PERSON:
            return self.filter(organization_id__in=_organizations_of(actor))
        return self.none()


def _organizations_of(actor: Actor) -> models.QuerySet["Membership", UUID]:
    memberships: MembershipQuerySet = Membership.objects.all()
    open_ones = memberships.filter(organization__closed_at=None)
    return open_ones.filter(user_id=actor.principal_id, user__is_active=True).values_list(
        "organization_id", flat=True
    )


class OrganizationQuerySet(GuardedQuerySet["Organization"]):
    def visible_to(self, actor: Actor) -> Self:
        """A key sees its own organization, a person their open ones, staff and the system all."""
        if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.all()
        if actor.kind is ActorKind.KEY:
            return self.filter(id=actor.organization_id)
        return self.filter(id__in=_organizations_of(actor))


class MembershipQuerySet(OwnedQuerySet["Membership"]):
    def admins(self) -> Self:
        return self.filter(role="admin")

    def own_closed(self, actor: Actor) -> Self:
        """The person's memberships in closed organizations, which `visible_to` leaves out."""
        if actor.kind is not ActorKind.PERSON:
            return self.none()
        own = self.filter(user_id=actor.principal_id, user__is_active=True)
        return own.exclude(organization__closed_at=None)

    def with_second_factor(self) -> Self:
        """Adds `has_passkey` and `has_second_factor`: more than a password."""
        factors = apps.get_model("mfa", "Authenticator").objects.exclude(type="recovery_codes")
        own = factors.filter(user_id=models.OuterRef("user_id"))
        return self.annotate(
            has_second_factor=models.Exists(own),
            has_passkey=models.Exists(own.filter(type="webauthn")),
        )

    def matching(self, text: str) -> Self:
        """Members whose name or email address contains `text`."""
        return self.filter(Q(user__name__icontains=text) | Q(user__email__icontains=text))


class Organization(GuardedModel):
    """The owner of keys. Some wire formats call it workspace or account."""

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
    default_key_days = models.PositiveSmallIntegerField(
        "default expiry",
        null=True,
        blank=True,
        choices=[(None, "Never"), *((days, days_in_words(days)) for days in KEY_PERIODS)],
        help_text="Preselected when someone creates an API key on the pages.",
    )
    #: Closed organizations are hidden from their members. Their API access is off.
    closed_at = models.DateTimeField("closed", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The public ID: ``org_…``."""
        return ids.public_id("org", self.id)

    @property
    def organization_id(self) -> UUID:
        """Its own ID, so that its events are in its own audit log."""
        return self.id


class Membership(GuardedModel):
    """A user in an organization."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=[(role, role.capitalize()) for role in Role])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    #: Number of open invitations revoked when the member lost the admin role.
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
