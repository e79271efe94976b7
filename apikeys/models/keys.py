"""API keys and their secrets."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Self

from django.db import models
from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q
from django.utils import timezone

from apikeys.models.status import Status, status_condition, status_since
from apikeys.tokens import Environment
from core import ids
from core.actors import Actor
from core.transactions import GuardedModel, GuardedQuerySet
from organizations.models import Membership, Organization, ServiceAccount, User
from organizations.models.organizations import OwnedQuerySet


@dataclass(frozen=True, slots=True)
class PepperUse:
    """Secrets per pepper: live, never used, ended."""

    pepper: int
    live: int = 0
    never_used: int = 0
    ended: int = 0
    last_used_at: datetime | None = None


class ApiKeyQuerySet(OwnedQuerySet["ApiKey"]):
    def visible_to(self, actor: Actor) -> Self:
        """Keys of the actor's organizations. A test key sees only test keys."""
        keys = super().visible_to(actor)
        if actor.environment == Environment.TEST:
            return keys.filter(environment=Environment.TEST)
        return keys

    def unrevoked(self) -> Self:
        """Keys that are not revoked, even if disabled or expired."""
        return self.filter(revoked_at=None)

    def compare_count(self, number: int) -> int:
        """Compares the count with `number` without counting all: 0 fewer, 1 equal, 2 more.

        Ordered so that PostgreSQL reads the index that contains only live keys.
        """
        names = self.order_by("name_key").values_list("name_key", flat=True)
        return len(names[number - 1 : number + 1])

    def newest_unrevoked(self, number: int) -> Self:
        """The newest live keys, newest first, no matter how many were revoked since.

        If there are at most `number`, they are read by the index of live names. By the index of all
        IDs, every newer revoked key would be read too.
        """
        live = self.unrevoked()
        ids = list(live.order_by("name_key").values_list("pk", flat=True)[: number + 1])
        if len(ids) <= number:
            live = type(self)(self.model, using=self.db).filter(pk__in=ids)
        return live.order_by("-id")[:number]

    def with_status(self, status: str, now: datetime) -> Self:
        """Keys whose derived status at `now` is `status`."""
        return self.filter(status_condition(status, now))

    def for_display(self) -> Self:
        """With everything needed to show a key, in a constant number of queries."""
        current = ApiKeySecret.objects.current()
        secrets = Prefetch("secrets", queryset=current, to_attr="current_secrets")
        return self.select_related("organization", "service_account").prefetch_related(secrets)

    def for_pages(self) -> Self:
        """For pages: adds the creator and `maker_has_left`, whether they left.

        Staff are in no organization and never count as having left.
        """
        here = Membership.objects.filter(
            organization_id=OuterRef("organization_id"),
            user_id=OuterRef("created_by_id"),
            user__is_active=True,
        )
        shown = self.for_display().select_related("created_by")
        return shown.annotate(maker_has_left=Q(created_by__is_staff=False) & ~Exists(here))


class ApiKeySecretQuerySet(GuardedQuerySet["ApiKeySecret"]):
    def current(self) -> Self:
        """The newest secret of each key."""
        return self.filter(ends_at=None)

    def overlapping(self, now: datetime) -> Self:
        """Older secrets that are valid during a rotation's overlap."""
        return self.filter(ends_at__gt=now)

    def by_pepper(self, now: datetime) -> list[PepperUse]:
        """Each pepper in use. Reads all rows. `never_used` counts live secrets only."""
        unended = Q(ends_at=None) | Q(ends_at__gt=now)
        unexpired = Q(key__expires_at=None) | Q(key__expires_at__gt=now)
        live = unended & unexpired & Q(key__revoked_at=None)
        rows = self.values("pepper").annotate(
            live=Count("pk", filter=live),
            never_used=Count("pk", filter=live & Q(last_used_at=None)),
            ended=Count("pk") - F("live"),
            last_used_at=Max("last_used_at"),
        )
        return [PepperUse(**row) for row in rows.order_by("pepper")]


class ApiKey(GuardedModel):
    """An API key. It belongs to the organization and keeps its ID when rotated."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    # Indexed by `keys_of_organization`. Foreign keys that are often NULL have partial indexes.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="keys", db_index=False
    )
    service_account = models.ForeignKey(
        ServiceAccount,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="keys",
        db_index=False,
    )
    name = models.CharField(max_length=100)
    name_key = models.TextField(editable=False)
    description = models.CharField(max_length=500, blank=True)
    environment = models.CharField(
        max_length=4, choices=[(e, e.capitalize()) for e in Environment], default=Environment.LIVE
    )
    scopes = models.JSONField(default=list)
    metadata = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_by_key = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)
    rate_limit_tier = models.CharField(max_length=30, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.GenericIPAddressField("last used from", null=True)
    last_used_user_agent = models.CharField("last used by", max_length=500, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    current_secrets: "list[ApiKeySecret]"

    class Meta:
        verbose_name = "API key"
        indexes: ClassVar = [
            # Ascending like the IDs: index pages fill up, and lists read it backwards.
            models.Index(fields=["organization", "id"], name="keys_of_organization"),
            *(
                models.Index(
                    fields=[name],
                    name=f"keys_by_{name}",
                    condition=Q(**{f"{name}__isnull": False}),
                )
                for name in ("service_account", "created_by", "created_by_key")
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "name_key"],
                condition=Q(revoked_at=None),
                name="one_live_key_per_name",
            ),
            models.CheckConstraint(
                condition=Q(environment__in=list(Environment)), name="environment_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The public ID: ``key_…``."""
        return ids.public_id("key", self.id)

    @property
    def tier(self) -> str:
        """The key's own rate-limit tier, or its organization's."""
        return self.rate_limit_tier or self.organization.rate_limit_tier

    @property
    def livemode(self) -> bool:
        return self.environment == Environment.LIVE

    @property
    def enabled(self) -> bool:
        """Not disabled. It may still be expired or revoked."""
        return self.disabled_at is None

    @property
    def status(self) -> Status:
        """The derived status now."""
        return self.status_at(timezone.now())

    def status_at(self, now: datetime) -> Status:
        """The derived status at `now`."""
        return status_since(self, now)[0]

    @cached_property
    def current_secret(self) -> "ApiKeySecret":
        """The newest secret, from `for_display` or by a query."""
        if "current_secrets" in self.__dict__:
            return self.current_secrets[0]
        return self.secrets.current().get()

    @property
    def key_prefix(self) -> str:
        """The display prefix of the newest secret."""
        return self.current_secret.prefix


class ApiKeySecret(GuardedModel):
    """One secret of a key, stored as a keyed digest. `ends_at` is None for the newest."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="secrets")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    pepper = models.PositiveSmallIntegerField(editable=False)
    prefix = models.CharField(max_length=30)
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    misused_at = models.DateTimeField(null=True)

    objects = ApiKeySecretQuerySet.as_manager()

    class Meta:
        verbose_name = "secret"
        indexes: ClassVar = [models.Index(fields=["prefix"], name="secrets_by_prefix")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(ends_at=None), name="one_current_secret_per_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    @property
    def works_until(self) -> datetime | None:
        """When this secret or its key expires, whichever is first. None for never."""
        return min(filter(None, (self.ends_at, self.key.expires_at)), default=None)
