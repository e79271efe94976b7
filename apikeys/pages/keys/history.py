"""A key's history: its audit events in short sentences that don't repeat the key's name."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from apikeys.events import KeyEvent
from apikeys.pages.activity.entries import icon_of
from apikeys.pages.activity.sentences import scope_changes, sentence, who
from core.timestamps import stamp
from organizations.models import AuditEvent, Organization

#: The most events on the key's page.
SHOWN: Final = 10


_WORDS: Final[Mapping[str, str]] = {
    KeyEvent.CREATED: "created this key",
    KeyEvent.UPDATED: "changed this key",
    KeyEvent.ENABLED: "enabled this key",
    KeyEvent.DISABLED: "disabled this key",
    KeyEvent.TIER_CHANGED: "changed the rate limit",
    KeyEvent.ROTATED: "rotated this key",
    KeyEvent.REVOKED: "deleted this key",
    # pragma: allowlist nextline secret
    KeyEvent.RETIRED_SECRET_USED: "used an old secret after its rotation",
}


def history(events: Iterable[AuditEvent], organization: Organization) -> list[dict[str, Any]]:
    """The template context of each event. `sentence` says the same in full."""
    return [_row(event, organization) for event in events]


def _row(event: AuditEvent, organization: Organization) -> dict[str, Any]:
    full = sentence(event, organization)
    icon, color = icon_of(event)
    changes = _changes(event.details) if event.event == KeyEvent.UPDATED else ""
    words = changes or _WORDS.get(event.event, full.removeprefix(f"{who(event)} "))
    return {
        "event": event,
        "sentence": full,
        "icon": icon,
        "color": color,
        "who": who(event),
        "words": words,
        "detail": _detail(event),
    }


def _changes(details: Mapping[str, Any]) -> str:
    """What was changed, such as “renamed this key from “Prod” to “Production””."""
    parts = [_change(name, *pair) for name, pair in details.items() if _is_pair(pair)]
    return " and ".join(filter(None, parts))


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _change(name: str, old: Any, new: Any) -> str:
    if name == "name":
        return f"renamed this key from “{old}” to “{new}”"
    if name == "scopes":
        return _scopes(old, new)
    if name == "expires_at":
        return f"set the expiry to {_moment(new)}" if new else "removed the expiry"
    if name == "enabled":
        return "enabled this key" if new else "disabled this key"
    return f"changed the {name}"


def _scopes(old: list[str], new: list[str]) -> str:
    added, removed = scope_changes(old, new)
    parts = [f"added the permission{'s' * (len(added) > 1)} {', '.join(added)}"] if added else []
    if removed:
        parts.append(f"removed the permission{'s' * (len(removed) > 1)} {', '.join(removed)}")
    return " and ".join(parts) or "changed the order of the permissions"


def _detail(event: AuditEvent) -> str:
    """The second line: consequences and reasons."""
    details = event.details
    end, tier = details.get("previous_secret_ends_at"), details.get("rate_limit_tier")
    parts = [
        f"Old secret valid until {_moment(end)}" if end else "",
        f"From {tier[0] or 'default'} to {tier[1] or 'default'}" if _is_pair(tier) else "",
        f"Reason: {details['reason']}" if details.get("reason") else "",
        "Together with the key that created it" if details.get("cascade") else "",
    ]
    return ". ".join(filter(None, parts))


def _moment(value: object) -> str:
    return stamp(datetime.fromisoformat(str(value)))
