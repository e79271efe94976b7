"""Writes audit events. Nothing else writes them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, OperationalError

from core.actors import Actor
from core.redaction import first_line, redact
from organizations.models import AuditEvent


class Target(Protocol):
    """An object of an organization that audit events can be about."""

    pk: Any

    @property
    def organization_id(self) -> UUID | None:
        """The organization whose audit log the event belongs to, None if there is none."""


class EventNotWritten(OperationalError):
    """The database rejected an audit event, so the operation was rolled back.

    An OperationalError like an unavailable database: every interface responds with 503.
    """


def record(
    event: StrEnum,
    target: Target,
    *,
    actor: Actor,
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Adds an operation's audit event, in the operation's transaction.

    `details` must be JSON without secrets or digests.
    """
    made = _event(event, target, actor, details or {})
    with _required():
        made.save(force_insert=True)
    return made


def record_each(
    event: StrEnum, targets: Iterable[tuple[Target, Mapping[str, Any]]], *, actor: Actor
) -> None:
    """Adds one event per target with its details, in one statement."""
    made = [_event(event, target, actor, details) for target, details in targets]
    with _required():
        AuditEvent.objects.bulk_create(made)


@contextmanager
def _required() -> Iterator[None]:
    try:
        yield
    except OperationalError:
        raise
    except DatabaseError as error:
        raise EventNotWritten(first_line(error)) from error


def _event(event: StrEnum, target: Target, actor: Actor, details: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(
        event=event,
        organization_id=target.organization_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=redact(actor.label)[:320],
        target_type=target.__class__.__name__,  # unlike `type()`, right for a lazy `request.user`
        target_id=target.pk,
        target_label=redact(str(target))[:320],
        ip=actor.origin.ip,
        user_agent=actor.origin.user_agent,
        request_id=actor.origin.request_id,
        details=dict(details),
    )
