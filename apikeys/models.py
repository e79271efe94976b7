"""Keys, their secrets and their presets: fields, constraints and facts about one row."""

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apikeys.querysets import (
    ApiKeyQuerySet,
    ApiKeySecretQuerySet,
    KeyTemplateQuerySet,
    KeyUsageQuerySet,
    ScopeUseQuerySet,
    SubmissionQuerySet,
)
from apikeys.tokens import Environment
from organizations import ids
from organizations.models import Organization, ServiceAccount, User
from organizations.writes import GuardedModel


class Status(StrEnum):
    """The derived state of a key, in the order in which it is decided."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    DISABLED = "disabled"
    ACTIVE = "active"


class ApiKey(GuardedModel):
    """A key as people know it. It belongs to the organization and keeps its id when rotated."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    # Its index is `keys_of_organization`; those of the three that are often empty leave out the
    # keys that have none.
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
            # Ascending, as ids grow: pages of the index fill up, and lists read it backwards.
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
        """The id that interfaces show: ``key_…``."""
        return ids.public_id("key", self.id)

    @property
    def tier(self) -> str:
        """The key's own rate-limit tier, or else its organization's."""
        return self.rate_limit_tier or self.organization.rate_limit_tier

    @property
    def livemode(self) -> bool:
        """Whether it is a live key and not a test key."""
        return self.environment == Environment.LIVE

    @property
    def enabled(self) -> bool:
        """Whether it is not disabled; it may be expired or revoked all the same."""
        return self.disabled_at is None

    @property
    def status(self) -> Status:
        """The derived state now; `ApiKeyQuerySet.with_status` says the same in SQL."""
        return self.status_at(timezone.now())

    def status_at(self, now: datetime) -> Status:
        """The derived state at `now`."""
        if self.revoked_at:
            return Status.REVOKED
        if self.expires_at and self.expires_at <= now:
            return Status.EXPIRED
        return Status.DISABLED if self.disabled_at else Status.ACTIVE

    @cached_property
    def current_secret(self) -> "ApiKeySecret":
        """The newest secret: from `for_display`, or else by a query."""
        if "current_secrets" in self.__dict__:
            return self.current_secrets[0]
        return self.secrets.current().get()

    @property
    def key_prefix(self) -> str:
        """The displayed prefix of the newest secret."""
        return self.current_secret.prefix


class ApiKeySecret(GuardedModel):
    """One secret of a key, as a keyed digest. `ends_at` is None for the newest."""

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
        """The end of this secret or of its key, whichever comes first; None for no end."""
        return min(filter(None, (self.ends_at, self.key.expires_at)), default=None)


class Submission(GuardedModel):
    """A form or a call that has made a secret: sent again, it makes no second one.

    `digest` is that of what tells it from others, `request` that of what a call has asked for.
    """

    digest = models.BinaryField(primary_key=True, max_length=32)
    request = models.BinaryField(max_length=32, default=b"")
    secret = models.ForeignKey(
        ApiKeySecret, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = SubmissionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{'call' if self.request else 'form'} at {self.created_at:%Y-%m-%d %H:%M:%S}"


class KeyUsage(models.Model):
    """How many requests with a key ended how, in an hour; `apikeys.ledger` writes it in batches.

    Without a constraint to the key: counting is to lock no key.
    """

    pk = models.CompositePrimaryKey("key_id", "hour", "result")
    key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="usage", db_constraint=False, db_index=False
    )
    hour = models.DateTimeField()
    result = models.CharField(max_length=24)
    requests = models.BigIntegerField()

    objects = KeyUsageQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.result}: {self.requests}"


class ScopeUse(models.Model):
    """The day on which a key last used a scope. Written in batches by `apikeys.ledger`."""

    pk = models.CompositePrimaryKey("key_id", "scope")
    key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    scope = models.CharField(max_length=100)
    last_used_on = models.DateField()

    objects = ScopeUseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.scope}: {self.last_used_on}"


class KeyTemplate(GuardedModel):
    """A reusable preset for creating keys; the ``templates`` of an account."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="templates"
    )
    name = models.CharField(max_length=100)
    name_key = models.TextField(editable=False)
    description = models.CharField(max_length=500, blank=True)
    scopes = models.JSONField(default=list)
    lifetime_days = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)

    objects = KeyTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = "key template"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "name_key"], name="one_template_per_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id that interfaces show: ``tpl_…``."""
        return ids.public_id("tpl", self.id)
