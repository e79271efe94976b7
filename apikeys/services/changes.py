"""Changes of keys: fields, scopes, expiry, disabling and enabling, rate limit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from apikeys import conf
from apikeys.events import KeyEvent
from apikeys.models import ApiKey
from apikeys.services import authority
from apikeys.services.keys import lock_key, require_not_revoked, save_named
from apikeys.validation import clean_fields
from core.actors import Actor
from core.exceptions import Invalid, require_unchanged
from core.revocation_wait import limit_waiting, require_wait, wait_for_earlier
from core.transactions import operation
from organizations import audit, policy
from organizations.roles import Action

#: The changes that can take authority away.
LIMITING: Final = frozenset({"scopes", "expires_at", "enabled"})


@limit_waiting(needed=lambda options: not LIMITING.isdisjoint(options["changes"]))
@operation()
def update_api_key(
    key: ApiKey, *, actor: Actor, changes: Mapping[str, Any], seen_at: datetime | None = None
) -> ApiKey:
    """Changes any of name, description, scopes, metadata, expires_at and enabled.

    `seen_at` is the `updated_at` that the actor saw. Raises Invalid, Forbidden, or Conflict for a
    revoked key, a taken name or a key that has changed since `seen_at`. Changes that widen the
    key's authority must be within the actor's own.
    """
    key, actor = lock_key(key, actor)
    require_not_revoked(key)
    if seen_at and seen_at != key.updated_at:
        wait_for_earlier(key.organization_id)  # their version may do less
    require_unchanged(key.updated_at, seen_at, "key")
    new = clean_fields(changes)
    old = {name: getattr(key, name) for name in new}
    changed = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    if _may_limit(new):
        require_wait()  # even if it is so already: another call may have done so a moment ago
    if changed:
        _apply(key, new)
        _require_change_within(key, changed, actor)
        key.updated_at = timezone.now()
        save_named(key)
        audit.record(_event(key, changed), key, actor=actor, details=_audit_details(changed))
    return key


def set_api_key_enabled(key: ApiKey, *, enabled: bool, actor: Actor) -> ApiKey:
    """Disables a key, reversibly, or enables it again, from the next request on."""
    return update_api_key(key, actor=actor, changes={"enabled": enabled})


@limit_waiting()
@operation()
def set_key_rate_limit_tier(key: ApiKey, *, tier: str, actor: Actor) -> ApiKey:
    """Sets a key's own tier. Empty for its organization's tier. Staff only."""
    policy.require(actor, Action.SET_TIER, key.organization)
    key, actor = lock_key(key, actor)
    if tier and tier not in conf.tiers():
        raise Invalid.field("rate_limit_tier", f"Choose one of: {', '.join(conf.tiers())}.")
    old, key.rate_limit_tier = key.rate_limit_tier, tier
    require_wait()  # always: this or a concurrent call may have lowered the tier
    if old != tier:
        key.save(update_fields=["rate_limit_tier"])
        details = {"rate_limit_tier": [old, tier]}
        audit.record(KeyEvent.TIER_CHANGED, key, actor=actor, details=details)
    return key


def _apply(key: ApiKey, new: Mapping[str, Any]) -> None:
    for name, value in new.items():
        if name != "enabled":
            setattr(key, name, value)
        elif value != key.enabled:
            key.disabled_at = None if value else timezone.now()


def _require_change_within(key: ApiKey, changed: Mapping[str, Any], actor: Actor) -> None:
    old_scopes, new_scopes = changed.get("scopes", [[], []])
    added = [scope for scope in new_scopes if scope not in old_scopes]
    if added:
        authority.require_scopes_within(actor, added)
        authority.require_lifetime_within(actor, key)
    old_end, new_end = changed.get("expires_at", [None, None])
    if authority.ends_later(old_end, new_end) or ("enabled" in changed and key.enabled):
        authority.require_key_within(actor, key)


def _may_limit(new: Mapping[str, Any]) -> bool:
    """Whether scopes, an end or disabling are asked for, be they in force already or not."""
    return "scopes" in new or new.get("expires_at") is not None or new.get("enabled") is False


def _event(key: ApiKey, changed: Mapping[str, Any]) -> KeyEvent:
    if set(changed) == {"enabled"}:
        return KeyEvent.ENABLED if key.enabled else KeyEvent.DISABLED
    return KeyEvent.UPDATED


def _audit_details(changed: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    return {
        name: [value.isoformat() if isinstance(value, datetime) else value for value in pair]
        for name, pair in changed.items()
    }
