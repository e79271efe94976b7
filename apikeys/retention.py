"""Deletes key data that is older than the installation keeps it, for `maintain`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import models, transaction

from apikeys.models import ApiKeySecret, KeyUsage, Submission
from core.sqlite_writers import write_lock
from core.transactions import operation

BATCH: Final = 5_000


def old_usage(before: datetime) -> models.QuerySet[KeyUsage]:
    return KeyUsage.objects.filter(hour__lt=before)


def remove_usage(before: datetime) -> Iterator[int]:
    """Deletes in batches, oldest hours first. Yields batch sizes."""
    while deleted := _remove_usage(before):
        yield deleted


def _remove_usage(before: datetime) -> int:
    old = old_usage(before).order_by("hour")
    last = old.values_list("hour", flat=True)[BATCH - 1 : BATCH].first()
    with write_lock(), transaction.atomic():
        return (old_usage(before) if last is None else old.filter(hour__lte=last)).delete()[0]


def ended_secrets(before: datetime) -> models.QuerySet[ApiKeySecret]:
    """Secrets whose rotation overlap ended before `before`."""
    return ApiKeySecret.objects.filter(ends_at__lt=before)


def old_forms(before: datetime) -> models.QuerySet[Submission]:
    """Submitted forms that issued a secret before `before`."""
    return Submission.objects.filter(created_at__lt=before, request=b"")


def remove(rows: models.QuerySet[Any]) -> Iterator[int]:
    """Deletes rows of a guarded model in batches. Yields batch sizes."""
    while deleted := _remove(rows):
        yield deleted


@operation()
def _remove(rows: models.QuerySet[Any]) -> int:
    batch = [_plain(pk) for pk in rows.values_list("pk", flat=True)[:BATCH]]
    rows.model._default_manager.filter(pk__in=batch).delete()  # noqa: SLF001
    return len(batch)


def _plain(pk: Any) -> Any:
    return bytes(pk) if isinstance(pk, memoryview) else pk
