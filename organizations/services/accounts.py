"""Records account changes and exports as audit events."""

from collections.abc import Mapping
from typing import Any

from core.actors import Actor
from core.transactions import operation
from organizations import audit, policy
from organizations.events import OrganizationEvent
from organizations.models import Organization, User
from organizations.roles import Action


@operation()
def record_account_change(
    user: User, event: OrganizationEvent, *, actor: Actor, details: Mapping[str, Any] | None = None
) -> None:
    """For what allauth changed in the same transaction."""
    audit.record(event, user, actor=actor, details=details)


@operation()
def record_export(organization: Organization, *, what: str, actor: Actor) -> None:
    """Call before an export starts: once sent, it can't be undone."""
    policy.require(actor, Action.VIEW_KEYS, organization)
    details = {"exported": what}
    audit.record(OrganizationEvent.EXPORTED, organization, actor=actor, details=details)
