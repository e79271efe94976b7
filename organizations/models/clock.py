"""Tables of the revocation clock (docs/adr/0018). Only triggers and the clock write them."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Clock(models.Model):
    """One row with the number of the last change."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_clock")
        ]

    def __str__(self) -> str:
        return str(self.number)


class Change(models.Model):
    """What changed at a number. Rows are kept for an hour."""

    number = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=20)
    target_id = models.UUIDField()
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.number}: {self.kind} {self.target_id}"


class Follower(models.Model):
    """A process that caches verifications: its applied number, heartbeat and lease."""

    id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField()
    beat = models.BigIntegerField(default=0)
    lease = models.FloatField()
    process = models.CharField(max_length=100)
    started_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "verifying process"
        verbose_name_plural = "verifying processes"
        ordering: ClassVar = ["started_at"]

    def __str__(self) -> str:
        return self.process
