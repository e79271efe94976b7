"""Reading the audit log: filters, pages, and rows of a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q

from apikeys.pages.activity.sentences import sentence
from core import ids
from core.timestamps import rfc3339
from organizations.models import AuditEvent, AuditEventQuerySet, Organization

PAGE_SIZE: Final = 50
#: The most events that one query looks at for something that no index finds.
SEARCHED: Final = 10_000
#: Events that an export reads at a time.
_CHUNK: Final = 200
HEADER: Final = ("Time (UTC)", "Who", "Kind", "What", "Target", "IP address", "Request id")
#: Groups of the filter: the start of an event's name → what it is called.
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
    """Which events of the audit log to show."""

    actor: str = ""
    kind: str = ""
    key: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def key_id(self) -> UUID | None:
        """The key, if it is given by its id."""
        return ids.read_id("key", self.key) if self.key else None

    @property
    def has_text(self) -> bool:
        """Whether it looks for a text, which takes longest."""
        return bool(self.actor or (self.key and not self.key_id))

    @property
    def searches(self) -> bool:
        """Whether it needs more than an index finds."""
        return bool(self.actor or self.kind or (self.key and not self.key_id))

    def within(self, events: AuditEventQuerySet) -> AuditEventQuerySet:
        """The events that may match, as far as an index finds them."""
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
        """What no index finds."""
        condition = Q()
        if self.actor:
            condition &= Q(actor_label__icontains=self.actor)
        if self.kind:
            condition &= Q(event__startswith=f"{self.kind}.")
        if self.key and not self.key_id:
            condition &= Q(target_label__icontains=self.key, target_type="ApiKey")
        return condition


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events that match, newest first, and the number after which to go on; None at the end.

    `searched_to` is set when the limit of events to look at was reached first.
    """

    events: list[AuditEvent]
    position: int | None = None
    searched_to: datetime | None = None


def find(
    events: AuditEventQuerySet,
    audit_filter: AuditFilter,
    position: int | None = None,
    most: int = PAGE_SIZE,
) -> AuditPage:
    """The newest `most` events before `position` that match, among the next SEARCHED.

    `events` are in order, newest first.
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
    """All events that match, newest first: a list for each bounded query.

    A list is empty where a query looked at its SEARCHED events and none of them matched.
    """
    page = find(events, audit_filter, most=_CHUNK)
    yield page.events
    while page.position:
        page = find(events, audit_filter, page.position, most=_CHUNK)
        yield page.events


def page_of(
    events: AuditEventQuerySet, audit_filter: AuditFilter, cursor: str, binding: object
) -> tuple[AuditPage, str]:
    """The page after `cursor`, and the cursor of the page after that, if there is one.

    A cursor belongs to the filter and the `binding` it was made for; any other starts over.
    """
    signer = Signer(salt=f"trail:{(binding, audit_filter)!r}")
    page = find(events, audit_filter, _position(signer, cursor))
    return page, signer.sign_object(page.position) if page.position else ""


def _position(signer: Signer, cursor: str) -> int | None:
    try:
        value: Any = signer.unsign_object(cursor) if cursor else None
    except (BadSignature, ValueError, TypeError):
        return None
    return value if isinstance(value, int) else None


def rows(events: Iterable[AuditEvent], organization: Organization) -> Iterator[tuple[str, ...]]:
    """An organization's events as rows of a file, the header first; holds one event at a time."""
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
