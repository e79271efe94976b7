"""Filters, pages and CSV rows of the audit log."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q

from apikeys.pages.activity.sentences import sentence
from core import ids
from core.timestamps import rfc3339
from organizations.models import AuditEvent, AuditEventQuerySet, Organization

PAGE_SIZE: Final = 50
#: The most events that one query searches for conditions without an index.
SEARCHED: Final = 10_000
#: Events that an export reads per query.
_CHUNK: Final = 200
HEADER: Final = ("Time (UTC)", "Who", "Kind", "What", "Target", "IP address", "Request id")
#: Start of event names → label of the group in the filter.
KINDS: Final = {
    "api_key": "Keys",
    "template": "Templates",
    "service_account": "Service accounts",
    "member": "Members",
    "invitation": "Invitations",
    "organization": "Organization",
}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    #: The ID of a key, part of its name, an IP address or a request ID.
    text: str = ""
    actor: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def key_id(self) -> UUID | None:
        """The key ID in `text`."""
        return ids.read_id("key", self.text) if self.text else None

    @property
    def has_text(self) -> bool:
        """Whether it searches for text, which takes longest."""
        return bool(self.actor or (self.text and not self.key_id))

    @property
    def searches(self) -> bool:
        """Whether it has conditions without an index."""
        return bool(self.kind or self.has_text)

    def within(self, events: AuditEventQuerySet) -> AuditEventQuerySet:
        """Applies the conditions that have an index."""
        if self.key_id:
            events = events.about(self.key_id)
        if self.since:
            events = events.since(datetime.combine(self.since, time(), UTC))
        if self.until:
            after = datetime.combine(self.until, time(), UTC) + timedelta(days=1)
            events = events.before(after)
        return events

    @property
    def condition(self) -> Q:
        """The conditions without an index."""
        condition = Q()
        if self.actor:
            condition &= Q(actor_label__icontains=self.actor)
        if self.kind:
            condition &= Q(event__startswith=f"{self.kind}.")
        if self.text and not self.key_id:
            condition &= _mentions(self.text)
        return condition


def _mentions(text: str) -> Q:
    """Events about a key of this name, or from this IP address or request."""
    found = Q(target_label__icontains=text, target_type="ApiKey") | Q(request_id=text)
    with suppress(ValueError):
        found |= Q(ip=str(ip_address(text)))
    return found


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Matching events, newest first."""

    events: list[AuditEvent]
    #: Number of the event after which the next page starts. None on the last page.
    position: int | None = None
    #: Time of the last event that was searched, if the limit was reached.
    searched_to: datetime | None = None


def find(
    events: AuditEventQuerySet,
    audit_filter: AuditFilter,
    position: int | None = None,
    most: int = PAGE_SIZE,
) -> AuditPage:
    """The newest `most` matching events before `position`. Searches at most SEARCHED events.

    `events` must be in order, newest first.
    """
    candidates = audit_filter.within(events)
    if position:
        candidates = candidates.filter(number__lt=position)
    if not audit_filter.searches:
        matches = list(candidates[: most + 1])
        return AuditPage(matches[:most], matches[most - 1].number if len(matches) > most else None)
    matches = candidates.among_newest(SEARCHED, audit_filter.condition, most + 1)
    if len(matches) > most:
        return AuditPage(matches[:most], matches[most - 1].number)
    last = candidates.oldest_of_newest(SEARCHED)
    return AuditPage(matches, *last) if last else AuditPage(matches)


def find_all(events: AuditEventQuerySet, audit_filter: AuditFilter) -> Iterator[list[AuditEvent]]:
    """All matching events, newest first, as one list per query.

    A list is empty if none of the events that its query searched match.
    """
    page = find(events, audit_filter, most=_CHUNK)
    yield page.events
    while page.position:
        page = find(events, audit_filter, page.position, most=_CHUNK)
        yield page.events


def page_of(
    events: AuditEventQuerySet, audit_filter: AuditFilter, cursor: str, binding: object
) -> tuple[AuditPage, str]:
    """The page after `cursor`, and the cursor of the next page. Empty on the last page.

    A cursor made for another `binding`, or a malformed one, returns the first page.
    """
    signer = Signer(salt=f"trail:{binding!r}")
    page = find(events, audit_filter, _position(signer, cursor))
    return page, signer.sign_object(page.position) if page.position else ""


def _position(signer: Signer, cursor: str) -> int | None:
    try:
        value: Any = signer.unsign_object(cursor) if cursor else None
    except (BadSignature, ValueError, TypeError):
        return None
    return value if isinstance(value, int) else None


def rows(events: Iterable[AuditEvent], organization: Organization) -> Iterator[tuple[str, ...]]:
    """CSV rows of an organization's events, the header first. Holds one event at a time."""
    yield HEADER
    for event in events:
        yield (
            rfc3339(event.at),
            event.actor_label,
            event.get_actor_kind_display(),
            sentence(event, organization),
            event.target_label,
            event.ip or "",
            event.request_id,
        )
