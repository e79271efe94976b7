"""Service accounts, which represent machines."""

from typing import ClassVar

from django.db import models

from core import ids
from core.transactions import GuardedModel
from organizations.models.organizations import Organization, OwnedQuerySet
from organizations.models.users import User


class ServiceAccountQuerySet(OwnedQuerySet["ServiceAccount"]):
    """Machine principals of organizations."""


class ServiceAccount(GuardedModel):
    """A named machine. Its keys are rejected while it is disabled."""

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
        """The public ID: ``sa_…``."""
        return ids.public_id("sa", self.id)

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None
