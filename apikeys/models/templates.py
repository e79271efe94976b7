"""Templates for new keys."""

from typing import ClassVar

from django.db import models

from core import ids
from core.transactions import GuardedModel
from organizations.models import Organization
from organizations.models.organizations import OwnedQuerySet


class KeyTemplateQuerySet(OwnedQuerySet["KeyTemplate"]):
    """Templates for new keys."""


class KeyTemplate(GuardedModel):
    """A preset for new keys. The account format calls them ``templates``."""

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
        """The public ID: ``tpl_…``."""
        return ids.public_id("tpl", self.id)
