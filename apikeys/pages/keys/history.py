"""A key's history: its audit events in short sentences that don't repeat the key's name."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from apikeys.events import KeyEvent
from apikeys.pages.activity.sentences import sentence, who
from core.timestamps import stamp
from organizations.models import AuditEvent, Organization

#: The most events on the key's page.
SHOWN: Final = 10


class _Kind(NamedTuple):
    icon: str
    #: The CSS class of the icon. Empty for an ordinary change.
    tone: str
    words: str


_KINDS: Final[Mapping[str, _Kind]] = {
    KeyEvent.CREATED: _Kind("plus", "ok", "created this key"),
    KeyEvent.UPDATED: _Kind("pencil", "", "changed this key"),
    KeyEvent.ENABLED: _Kind("play", "", "enabled this key"),
    KeyEvent.DISABLED: _Kind("pause", "", "disabled this key"),
    KeyEvent.TIER_CHANGED: _Kind("adjustments-horizontal", "", "changed the rate limit"),
    KeyEvent.ROTATED: _Kind("arrow-path", "info", "rotated this key"),
    KeyEvent.REVOKED: _Kind("trash", "bad", "deleted this key"),
    KeyEvent.RETIRED_SECRET_USED: _Kind(
        "exclamation-triangle", "warn", "used an old secret after its rotation"
    ),
}


def history(events: Iterable[AuditEvent], organization: Organization) -> list[dict[str, Any]]:
    """The template context of each event. `sentence` says the same in full."""
    return [_row(event, organization) for event in events]


def _row(event: AuditEvent, organization: Organization) -> dict[str, Any]:
    full = sentence(event, organization)
    kind = _KINDS.get(event.event, _Kind("pencil", "", full.removeprefix(f"{who(event)} ")))
    words = _changes(event.details) if event.event == KeyEvent.UPDATED else ""
    return {
        "event": event,
        "sentence": full,
        "icon": kind.icon,
        "tone": kind.tone,
        "who": who(event),
        "words": words or kind.words,
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
    added = [scope for scope in new if scope not in old]
    removed = [scope for scope in old if scope not in new]
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
