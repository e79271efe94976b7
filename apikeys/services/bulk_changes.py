"""Disables or enables several keys in one operation."""

from collections.abc import Sequence
from typing import Final

from django.utils import timezone

from apikeys.events import KeyEvent
from apikeys.models import ApiKey
from apikeys.services import authority, created_keys
from apikeys.services.acting import lock_organization
from apikeys.services.keys import require_not_revoked
from core.actors import Actor
from core.exceptions import NotFound
from core.revocation_wait import limit_waiting, require_wait
from core.transactions import operation
from organizations import audit
from organizations.roles import Action

#: Maximum number of keys disabled or enabled per request.
MOST_SWITCHED: Final = 100


@limit_waiting(needed=lambda options: not options["enabled"])
@operation()
def set_api_keys_enabled(keys: Sequence[ApiKey], *, enabled: bool, actor: Actor) -> list[ApiKey]:
    """Disables keys, reversibly, or enables them again, all or none.

    Returns the keys as they are now, each once and in the given order. Keys that already are so
    stay as they are. Raises Conflict for a revoked key and beyond MOST_SWITCHED keys, and
    Forbidden for keys to enable that exceed the actor's own authority.
    """
    chosen = dict.fromkeys(key.pk for key in keys)
    if len(chosen) > MOST_SWITCHED:
        message = f"Choose {MOST_SWITCHED} keys or fewer at a time."
        raise created_keys.too_many("ids", message)
    locked, actor = _lock(keys, actor)
    ordered = [locked[pk] for pk in chosen]
    for key in ordered:
        require_not_revoked(key)
    if not enabled:
        require_wait()  # even if all are disabled: another call may have done so a moment ago
    _switch([key for key in ordered if key.enabled != enabled], enabled, actor)
    return ordered


def _lock(keys: Sequence[ApiKey], actor: Actor) -> tuple[dict[object, ApiKey], Actor]:
    """The keys and the actor as they are now, locked in order, if the actor may manage them."""
    organizations = {key.organization_id: key.organization for key in keys}
    for organization_id in sorted(organizations):
        _, actor = lock_organization(organizations[organization_id], actor, Action.MANAGE_KEYS)
    allowed = ApiKey.objects.visible_to(actor).filter(organization_id__in=organizations)
    chosen = {key.pk for key in keys}
    rows = allowed.filter(pk__in=chosen).order_by("id").select_for_update(no_key=True)
    locked: dict[object, ApiKey] = {key.pk: key for key in rows}
    if len(locked) < len(chosen):
        raise NotFound
    return locked, actor


def _switch(keys: Sequence[ApiKey], enabled: bool, actor: Actor) -> None:
    """Changes keys that aren't so yet, and records an event for each."""
    if not keys:
        return
    now = timezone.now()
    for key in keys:
        key.disabled_at, key.updated_at = None if enabled else now, now
        if enabled:
            authority.require_key_within(actor, key)
    ApiKey.objects.filter(pk__in=[key.pk for key in keys]).update(
        disabled_at=None if enabled else now, updated_at=now
    )
    event = KeyEvent.ENABLED if enabled else KeyEvent.DISABLED
    details = {"enabled": [not enabled, enabled]}
    audit.record_each(event, [(key, details) for key in keys], actor=actor)
