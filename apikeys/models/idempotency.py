"""What was submitted, so that it isn't done twice."""

from django.db import models

from apikeys.models.keys import ApiKeySecret
from core.transactions import GuardedModel, GuardedQuerySet


class SubmissionQuerySet(GuardedQuerySet["Submission"]):
    """Forms and calls that have made secrets."""


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
