"""The only writer of audit events."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from organizations.actors import Actor
from organizations.models import AuditEvent
from organizations.redaction import redact


class Target(Protocol):
    """Something that belongs to an organization and that things happen to."""

    pk: Any

    @property
    def organization_id(self) -> UUID | None:
        """Whose trail the event joins; None for what belongs to no single organization."""


def record(
    event: StrEnum,
    target: Target,
    *,
    actor: Actor,
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Adds the one event of an operation, in the operation's own transaction.

    `details` must be JSON and free of secrets and digests.
    """
    return AuditEvent.objects.create(
        event=event,
        organization_id=target.organization_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=redact(actor.label)[:320],
        target_type=type(target).__name__,
        target_id=target.pk,
        target_label=redact(str(target))[:320],
        ip=actor.origin.ip,
        user_agent=actor.origin.user_agent,
        request_id=actor.origin.request_id,
        details=dict(details or {}),
    )
