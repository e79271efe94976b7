"""Submitted forms and API requests, so that they aren't executed twice."""

from django.db import models

from apikeys.models.keys import ApiKeySecret
from core.transactions import GuardedModel, GuardedQuerySet


class SubmissionQuerySet(GuardedQuerySet["Submission"]):
    """Forms and requests that issued secrets."""


class Submission(GuardedModel):
    """A form or API request that issued a secret. Repeating it issues no other one.

    `digest` identifies the submission. `request` is the digest of a request's content, empty for
    forms.
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
