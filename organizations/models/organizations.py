"""People, organizations and their trail: fields, constraints and facts about one row."""

from typing import Any, ClassVar, Final
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower

from organizations import ids
from organizations.actors import ActorKind
from organizations.exceptions import Invalid
from organizations.querysets import (
    AuditEventQuerySet,
    MembershipQuerySet,
    OrganizationQuerySet,
    ServiceAccountQuerySet,
)
from organizations.roles import Role
from organizations.sequences import SequenceField
from organizations.text import PASSWORD_LENGTH, canonical_email, clean_email
from organizations.turns import turn
from organizations.writes import GuardedModel

DEFAULT_TIER: Final = "standard"
#: The largest limit of keys that an organization can be given.
MOST_KEYS: Final = 999_999_999


def _addresses() -> models.QuerySet[Any]:
    """The addresses that people have confirmed or added, which allauth keeps."""
    addresses: models.QuerySet[Any] = apps.get_model("account", "EmailAddress").objects.all()
    return addresses


def _sessions() -> models.QuerySet[Any]:
    """The browser sessions of all users, which allauth lists."""
    sessions: models.QuerySet[Any] = apps.get_model("usersessions", "UserSession").objects.all()
    return sessions


class UserManager(BaseUserManager["User"]):
    """Finds and makes people by e-mail address, whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person who signs in with `email`; without a password they cannot sign in by one.

        Raises ValidationError for a password that the pages would refuse.
        """
        if password and len(password) > PASSWORD_LENGTH:  # which the form to sign in refuses
            raise ValidationError(f"Use a password of {PASSWORD_LENGTH} characters or fewer.")
        try:
            user = self.model(email=clean_email(email), **fields)
        except Invalid as refusal:
            raise ValidationError({"email": refusal.message}) from None
        if password is not None:
            validate_password(password, user)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        user.vouch_for_email()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A member of staff with every permission."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.with_email(username or "").get()

    def with_email(self, email: str) -> models.QuerySet["User"]:
        """The user with an email address in any case, by the unique index of the column."""
        return self.filter(email=canonical_email(email))

    def behind(self, email: str) -> "User | None":
        """The user whose account an email address opens.

        That is the user who has confirmed it, or else the one who signed up with it. An address
        that was only added to an account is not that account's yet.
        """
        email = canonical_email(email)
        confirmed = self.filter(emailaddress__email=email, emailaddress__verified=True)
        return confirmed.first() or self.with_email(email).first()


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Clear this instead of deleting the person."
    )
    is_staff = models.BooleanField(
        "staff", default=False, help_text="May sign in to this administration."
    )
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="one_user_per_email"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def public_id(self) -> str:
        """The id that interfaces show: ``usr_…``."""
        return ids.public_id("usr", self.id)

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Without Django's NFKC, which would turn one email address into another."""
        return canonical_email(username)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the user, and signs a user who is or was deactivated out everywhere."""
        self.email = canonical_email(self.email)
        fields = kwargs.get("update_fields")
        with turn(), transaction.atomic():
            if not self._state.adding and (fields is None or "is_active" in fields):
                self._end_sessions_if_inactive()
            super().save(*args, **kwargs)

    def _end_sessions_if_inactive(self) -> None:
        """Deactivation alone leaves the rows of sessions, which would work again afterwards.

        The stored state counts as well: reactivation also ends what a sign-in that raced with the
        deactivation has left.
        """
        stored = User.objects.select_for_update().filter(pk=self.pk)
        if not (self.is_active and stored.values_list("is_active", flat=True).first()):
            for session in _sessions().filter(user=self):
                session.end()

    def vouch_for_email(self) -> None:
        """Takes the address as confirmed: whoever made or changed this person answers for it."""
        addresses = _addresses().filter(user=self)
        addresses.exclude(email=self.email).delete()
        confirmed = {"verified": True, "primary": True}
        addresses.update_or_create(user=self, email=self.email, defaults=confirmed)

    def confirmed_emails(self) -> set[str]:
        """The addresses that are proven to be this person's; the primary one need not be."""
        return set(_addresses().filter(user=self, verified=True).values_list("email", flat=True))

    def clean(self) -> None:
        """Refuses an address that somebody else has confirmed as one of theirs."""
        super().clean()
        theirs = _addresses().filter(email=self.email, verified=True).exclude(user=self)
        # PostgreSQL can't even be asked for what is no text.
        if self.email.isprintable() and theirs.exists():
            raise ValidationError({"email": "Somebody has this e-mail address already."})

    @property
    def organization_id(self) -> None:
        """A person may be in many organizations, so that their own events are in no one's trail."""
        return


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


class ServiceAccount(GuardedModel):
    """A named machine principal; keys that belong to it stop while it is disabled."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="service_accounts"
    )
    name = models.CharField(max_length=100)
    name_key = models.TextField(editable=False)
    description = models.CharField(max_length=500, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ServiceAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "name_key"], name="one_service_account_per_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id that interfaces show: ``sa_…``."""
        return ids.public_id("sa", self.id)

    @property
    def enabled(self) -> bool:
        """Whether its keys may be used."""
        return self.disabled_at is None


class AuditEvent(GuardedModel):
    """Who did what to which target, when and from where.

    Append-only, and without foreign keys: an event outlives its subjects. `number` is its place in
    the trail; clocks go back now and then, and `at` and ids with them.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    number = SequenceField(unique=True, editable=False)
    at = models.DateTimeField(auto_now_add=True)
    event = models.CharField(max_length=60)
    organization_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=10, choices=[(k, k.capitalize()) for k in ActorKind])
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=320)
    target_type = models.CharField(max_length=30)
    target_id = models.UUIDField(null=True)
    target_label = models.CharField(max_length=320)
    ip = models.GenericIPAddressField("IP address", null=True)
    user_agent = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    details = models.JSONField(default=dict)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "-number"], name="audit_by_organization"),
            models.Index(fields=["target_id", "-number"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.event} {self.target_label}"
