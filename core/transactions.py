"""Operations: one transaction each. Guarded models can't be saved outside of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction

from core.exceptions import Conflict
from core.revocation_wait import wait_once
from core.sqlite_writers import write_lock

_open: ContextVar[bool] = ContextVar("writes_open", default=False)
M = TypeVar("M", bound=models.Model, covariant=True)


class WriteOutsideService(RuntimeError):
    """Code other than a service wrote a guarded model. This is a bug."""


@contextmanager
def allowed() -> Iterator[None]:
    """Allows writes to guarded models without opening a transaction. For single statements."""
    token = _open.set(True)
    try:
        yield
    finally:
        _open.reset(token)


@contextmanager
def operation() -> Iterator[None]:
    """A transaction in which guarded models may be written. Also usable as a decorator.

    If it takes authority away, it returns when no process can act on the old state.
    """
    with wait_once(), write_lock(), transaction.atomic(), allowed():
        yield


def _require_open(what: type[Any]) -> None:
    if not _open.get():
        raise WriteOutsideService(f"{what.__name__} can only be written by services.")


class GuardedQuerySet(models.QuerySet[M]):
    """A queryset whose bulk writes require an operation."""

    def update(self, **kwargs: Any) -> int:
        _require_open(self.model)
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        _require_open(self.model)
        return super().delete()

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        _require_open(self.model)
        return super().bulk_create(*args, **kwargs)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        _require_open(self.model)
        return super().bulk_update(*args, **kwargs)


class GuardedModel(models.Model):
    """A model that can be saved and deleted only inside an operation."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        _require_open(type(self))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _require_open(type(self))
        return super().delete(*args, **kwargs)


@contextmanager
def conflict_on(constraint: str, column: str, refusal: Conflict) -> Iterator[None]:
    """Raises `refusal` if the unique constraint is violated. The transaction stays usable.

    PostgreSQL names the constraint in its error, SQLite the columns.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if constraint in str(error) or f".{column}" in str(error):
            raise refusal from None
        raise
