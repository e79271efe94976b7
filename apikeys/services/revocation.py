"""Revokes keys: one, several, or with those they created."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from apikeys.events import KeyEvent
from apikeys.models import ApiKey
from apikeys.services import created_keys, key_emails
from apikeys.services.acting import lock_organization
from core.actors import Actor
from core.exceptions import NotFound
from core.revocation_wait import limit_waiting, require_wait
from core.text import clean_text
from core.transactions import operation
from organizations import audit
from organizations.roles import Action

#: Maximum number of keys revoked per request, including those added by a cascade.
MOST_REVOKED: Final = 1_000


def revoke_api_key(key: ApiKey, *, actor: Actor, reason: str = "") -> ApiKey:
    """Permanently revokes a key from the next request on. Does nothing if already revoked.

    Invalid for a `reason` that the audit log can't store, such as one with the secret in it.
    """
    return revoke_api_keys([key], actor=actor, reason=reason)[0]


@limit_waiting()
@operation()
def revoke_api_keys(
    keys: Sequence[ApiKey], *, actor: Actor, reason: str = "", cascade: bool = False
) -> list[ApiKey]:
    """Permanently revokes keys, all or none. `cascade` adds the keys that they created.

    Returns the keys as they are now: first the requested ones, each once and in their order, then
    the others. Revoked keys stay as they are: no error. Conflict beyond MOST_REVOKED keys; Invalid
    for a `reason` that must not be kept in the audit log.
    """
    requested = dict.fromkeys(key.pk for key in keys)
    locked, actor = _lock(requested, keys, actor, cascade)
    reason = clean_text(reason, "reason")
    cascaded = [key for pk, key in locked.items() if pk not in requested]
    ordered = [*(locked[pk] for pk in requested), *cascaded]
    require_wait()  # even if all are revoked already: another call may have done so a moment ago
    _revoke([key for key in ordered if not key.revoked_at], requested, actor, reason)
    return ordered


def _lock(
    requested: Collection[UUID], keys: Sequence[ApiKey], actor: Actor, cascade: bool
) -> tuple[dict[UUID, ApiKey], Actor]:
    """Locks and re-reads the keys and the actor, if the actor may manage the keys.

    Locks in the order of IDs, so that two such operations can't deadlock. With the locks held, a
    cascade looks for keys that were created meanwhile. Their IDs are newer and come last in the
    order.
    """
    organizations = {key.organization_id: key.organization for key in keys}
    for organization_id in sorted(organizations):
        _, actor = lock_organization(organizations[organization_id], actor, Action.MANAGE_KEYS)
    allowed = ApiKey.objects.visible_to(actor).filter(organization_id__in=organizations)
    chosen, locked = set(requested), dict[UUID, ApiKey]()
    while True:
        if cascade:
            chosen |= created_keys.created_by(chosen)
        _require_at_most(chosen, "cascade" if cascade else "ids")
        missing = chosen - locked.keys()
        if not missing:
            return locked, actor
        rows = allowed.filter(pk__in=missing).order_by("id").select_for_update(no_key=True)
        locked |= {key.pk: key for key in rows}
        if chosen - locked.keys():
            raise NotFound


def _require_at_most(chosen: Collection[UUID], field: str) -> None:
    if len(chosen) > MOST_REVOKED:
        message = f"This would revoke more than {MOST_REVOKED:,} keys. Revoke fewer at a time."
        raise created_keys.too_many(field, message)


def _revoke(keys: Sequence[ApiKey], requested: Collection[UUID], actor: Actor, reason: str) -> None:
    """Revokes keys that are not revoked, and records an event for each."""
    if not keys:
        return
    now = timezone.now()
    ApiKey.objects.filter(pk__in=[key.pk for key in keys]).update(revoked_at=now, updated_at=now)
    for key in keys:
        key.revoked_at = key.updated_at = now
    base = {"reason": reason} if reason else {}
    details = [base if key.pk in requested else {**base, "cascade": True} for key in keys]
    audit.record_each(KeyEvent.REVOKED, zip(keys, details, strict=True), actor=actor)
    key_emails.deleted(keys, actor=actor)
