"""Audit events as the Activity page shows them: by day, with links, an icon and a second line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from apikeys.events import KeyEvent
from apikeys.pages.activity.sentences import (
    SAID_ALREADY,
    change,
    role_words,
    scope_changes,
    target_name,
    who,
    words_of,
)
from apikeys.tokens import Environment
from core.actors import ActorKind
from core.timestamps import rfc3339, stamp
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Organization

#: More permissions than these are counted, not named.
_NAMED: Final = 3
_CREATED: Final = ("plus", "ok")
_ROTATED: Final = ("arrow-path", "info")
_DELETED: Final = ("trash", "bad")
#: Event → icon and color. Only creation, rotation, deletion and misuse have a color.
_ICONS: Final[Mapping[str, tuple[str, str]]] = {
    KeyEvent.CREATED: _CREATED,
    KeyEvent.ROTATED: _ROTATED,
    KeyEvent.REVOKED: _DELETED,
    KeyEvent.DISABLED: ("pause", ""),
    KeyEvent.ENABLED: ("play", ""),
    KeyEvent.TIER_CHANGED: ("adjustments-horizontal", ""),
    KeyEvent.RETIRED_SECRET_USED: ("shield-exclamation", "warn"),
    KeyEvent.TEMPLATE_CREATED: _CREATED,
    KeyEvent.TEMPLATE_DELETED: _DELETED,
    OrganizationEvent.CREATED: _CREATED,
    OrganizationEvent.RENAMED: ("pencil", ""),
    OrganizationEvent.EXPORTED: ("arrow-down-tray", ""),
    OrganizationEvent.API_ACCESS_DISABLED: ("pause", ""),
    OrganizationEvent.API_ACCESS_ENABLED: ("play", ""),
    OrganizationEvent.MEMBER_ADDED: ("user-plus", ""),
    OrganizationEvent.MEMBER_REMOVED: ("user-minus", ""),
    OrganizationEvent.MEMBER_LEFT: ("user-minus", ""),
    OrganizationEvent.INVITATION_CREATED: ("user-plus", ""),
    OrganizationEvent.INVITATION_REVOKED: ("user-minus", ""),
    OrganizationEvent.SERVICE_ACCOUNT_CREATED: _CREATED,
    OrganizationEvent.SERVICE_ACCOUNT_DISABLED: ("pause", ""),
    OrganizationEvent.SERVICE_ACCOUNT_ENABLED: ("play", ""),
    OrganizationEvent.SERVICE_ACCOUNT_DELETED: _DELETED,
}
#: Start of event names → icon of the others.
_KINDS: Final = {
    "organization": "adjustments-horizontal",
    "member": "users",
    "invitation": "envelope",
    "person": "user",
    "trail": "clock",
}
#: The only field that changed → words that name the change.
_ONE_CHANGE: Final = {
    "scopes": "changed the permissions of the key “{target}”",
    "name": "renamed the key “{target}”",
    "expires_at": "changed the expiry of the key “{target}”",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence. Names are emphasized; those of existing objects are links."""

    text: str
    url: str = ""
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One event."""

    event: AuditEvent
    parts: Sequence[Part]
    detail: str
    icon: str
    color: str

    @property
    def clock(self) -> str:
        """The time of day in UTC."""
        return f"{self.event.at.astimezone(UTC):%H:%M}"

    @property
    def iso(self) -> str:
        return rfc3339(self.event.at)

    @property
    def stamp(self) -> str:
        return stamp(self.event.at)


@dataclass(frozen=True, slots=True)
class Day:
    """The events of a day in UTC, newest first."""

    label: str
    entries: Sequence[Entry]


def by_day(
    events: Iterable[AuditEvent],
    organization: Organization,
    urls: Mapping[UUID, str],
    now: datetime,
) -> list[Day]:
    """The events in their order. `urls` has the pages of the keys and accounts that exist."""
    today = now.astimezone(UTC).date()
    return [
        Day(_day_label(day, today), [_entry(event, organization, urls) for event in found])
        for day, found in groupby(events, lambda event: event.at.astimezone(UTC).date())
    ]


def _day_label(day: date, today: date) -> str:
    name = {today: "Today", today - timedelta(days=1): "Yesterday"}.get(day, f"{day:%A}")
    return f"{name}, {day.day} {day:%b %Y}"


def _entry(event: AuditEvent, organization: Organization, urls: Mapping[UUID, str]) -> Entry:
    parts = [part for part in _parts(event, organization, urls) if part.text]
    return Entry(event, parts, _detail(event), *icon_of(event))


def icon_of(event: AuditEvent) -> tuple[str, str]:
    """Icon and color."""
    kind = event.event.partition(".")[0]
    return _ICONS.get(event.event, (_KINDS.get(kind, "pencil"), ""))


def _parts(
    event: AuditEvent, organization: Organization, urls: Mapping[UUID, str]
) -> Iterator[Part]:
    yield from _subject(event, urls)
    words = _words(event)
    quoted = "“{target}”" in words
    before, _, after = words.partition("“{target}”" if quoted else "{target}")
    yield Part(f" {before}")
    if before != words:
        url = urls.get(event.target_id, "") if event.target_id else ""
        yield Part(target_name(event, organization), url, is_name=True)
    yield Part(f"{after}{_with_article(role_words(event))}")


def _subject(event: AuditEvent, urls: Mapping[UUID, str]) -> Iterator[Part]:
    if event.actor_kind == ActorKind.KEY:
        name = event.actor_label.rpartition(" (")[0] or event.actor_label  # without its prefix
        yield Part("The key ")
        yield Part(name, urls.get(event.actor_id, "") if event.actor_id else "", is_name=True)
    elif event.actor_kind == ActorKind.PERSON:
        yield Part(event.actor_label, is_name=True)
    else:
        yield Part(who(event))


def _words(event: AuditEvent) -> str:
    if event.event == KeyEvent.UPDATED and len(event.details) == 1:
        (field,) = event.details
        return _ONE_CHANGE.get(field, words_of(event))
    return words_of(event)


def _with_article(role: str) -> str:
    return role.replace(" as admin", " as an admin").replace(" as member", " as a member")


def _detail(event: AuditEvent) -> str:
    """What changed, as short phrases. The export has it in full."""
    if event.event in SAID_ALREADY:
        return ""
    phrases = (_phrase(event, name, value) for name, value in event.details.items())
    return " · ".join(filter(None, phrases))


def _phrase(event: AuditEvent, name: str, value: Any) -> str:
    if name == "scopes":
        return _scopes(value)
    if name == "environment":
        return "Test" if value == Environment.TEST else ""
    if name == "lifetime_days" and isinstance(value, int):
        return f"Expires after {value} day{'' if value == 1 else 's'}"
    if name == "previous_secret_ends_at":
        return _overlap(event, value)
    text = change(name, value)
    return f"{text[:1].upper()}{text[1:]}"


def _scopes(value: Any) -> str:
    if not value or not isinstance(value[0], list):
        return _counted(value)
    added, removed = map(_counted, scope_changes(*value))
    said = [f"Added {added}"] if added else []
    said += [f"Removed {removed}"] if removed else []
    return " · ".join(said)


def _counted(scopes: Sequence[str]) -> str:
    return ", ".join(scopes) if len(scopes) <= _NAMED else f"{len(scopes)} permissions"


def _overlap(event: AuditEvent, value: Any) -> str:
    ends = datetime.fromisoformat(str(value))
    if ends <= event.at:
        return "Old secret stopped working immediately"
    return f"Old secret works until {stamp(ends)}"
