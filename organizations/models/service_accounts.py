"""Service accounts, which represent machines."""

from typing import ClassVar, Self

from django.db import models

from core import ids
from core.transactions import GuardedModel
from organizations.models.organizations import Organization, OwnedQuerySet
from organizations.models.users import User


class ServiceAccountQuerySet(OwnedQuerySet["ServiceAccount"]):
    """Machine principals of organizations."""

    def undeleted(self) -> Self:
        """Accounts that were not deleted, even if disabled."""
        return self.filter(deleted_at=None)


class ServiceAccount(GuardedModel):
    """A named machine. Its keys are rejected while it is disabled.

    A deleted one stays as the owner of its revoked keys. It is disabled, too, so that nothing which
    overlooks the deletion brings it back.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="service_accounts"
    )
    name = models.CharField(max_length=100)
    name_key = models.TextField(editable=False)
    description = models.CharField(max_length=500, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ServiceAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "name_key"],
                condition=models.Q(deleted_at=None),
                name="one_service_account_per_name",
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(disabled_at__isnull=False),
                name="a_deleted_service_account_is_disabled",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The public ID: ``sa_…``."""
        return ids.public_id("sa", self.id)

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None
