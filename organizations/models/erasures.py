"""Erasures of personal data from the audit log."""

from typing import ClassVar

from django.db import models

from core.transactions import GuardedModel, GuardedQuerySet


class Erasure(GuardedModel):
    """Allows one change of the audit log: the label of `subject_id` may become `label`.

    The subject is a person, whose label as actor or target is replaced, or an event that names one.
    """

    subject_id = models.UUIDField(primary_key=True)
    label = models.CharField(max_length=320)
    at = models.DateTimeField(auto_now_add=True)

    objects: "ClassVar[models.Manager[Erasure]]" = GuardedQuerySet["Erasure"].as_manager()

    def __str__(self) -> str:
        return self.label
