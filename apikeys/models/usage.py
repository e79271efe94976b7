"""Usage of keys: requests per hour and result, and the day each scope was last used."""

from datetime import datetime
from typing import Self

from django.db import models

from apikeys.models.keys import ApiKey, ApiKeyQuerySet


class KeyUsageQuerySet(models.QuerySet["KeyUsage"]):
    def of(self, keys: ApiKeyQuerySet) -> Self:
        """Usage of keys that the reader may see."""
        return self.filter(key__in=keys)

    def between(self, start: datetime, end: datetime) -> Self:
        """Usage in the hours from `start` to before `end`."""
        return self.filter(hour__gte=start, hour__lt=end)


class ScopeUseQuerySet(models.QuerySet["ScopeUse"]):
    """Days on which scopes were last used."""


class KeyUsage(models.Model):
    """Requests of a key per hour and result. `UsageRecorder` writes it in batches.

    Has no foreign key constraint: counting must not lock keys.
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
    """The day on which a key last used a scope. Written in batches by `apikeys.usage.recorder`."""

    pk = models.CompositePrimaryKey("key_id", "scope")
    key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    scope = models.CharField(max_length=100)
    last_used_on = models.DateField()

    objects = ScopeUseQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.scope}: {self.last_used_on}"
