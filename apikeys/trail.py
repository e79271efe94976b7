"""Reading the audit trail: filters, pages, and the same as CSV."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet

from apikeys.sentences import sentence
from organizations import ids
from organizations.models import AuditEvent

PAGE_SIZE: Final = 50
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
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor wants to see of the trail."""

    actor: str = ""
    kind: str = ""
    key: str = ""
    since: date | None = None
    until: date | None = None

    def of(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """The events that match, newest first."""
        if self.actor:
            events = events.filter(actor_label__icontains=self.actor)
        if self.kind:
            events = events.filter(event__startswith=f"{self.kind}.")
        if self.key:
            events = events.filter(_about(self.key))
        if self.since:
            events = events.filter(at__gte=datetime.combine(self.since, time(), UTC))
        if self.until:
            after = datetime.combine(self.until, time(), UTC) + timedelta(days=1)
            events = events.filter(at__lt=after)
        return events.order_by("-id")


def _about(text: str) -> Q:
    key_id = ids.read_id("key", text)
    by_name = Q(target_label__icontains=text, target_type="ApiKey")
    return by_name | Q(target_id=key_id) if key_id else by_name


def page_of(
    events: QuerySet[AuditEvent], cursor: str, binding: object
) -> tuple[list[AuditEvent], str]:
    """The events after `cursor`, and the cursor of the page after, if there is one.

    A cursor belongs to the `binding` it was made for; any other begins again.
    """
    signer = Signer(salt=f"trail:{binding!r}")
    try:
        position: Any = signer.unsign_object(cursor) if cursor else None
        rows = events.filter(id__lt=UUID(hex=position)) if position else events
    except (BadSignature, ValueError, TypeError):
        rows = events
    found = list(rows[: PAGE_SIZE + 1])
    more = found[PAGE_SIZE - 1].id.hex if len(found) > PAGE_SIZE else None
    return found[:PAGE_SIZE], signer.sign_object(more) if more else ""


def cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    risky = text.startswith(_DANGEROUS) or text.lstrip().startswith(_DANGEROUS)
    return f"'{text}" if risky else text


class Echo:
    """A file whose `write` returns what it is given."""

    def write(self, line: str) -> str:
        return line


def lines(events: Iterable[AuditEvent]) -> Iterator[str]:
    """The events as lines of CSV, the header first; holds one event at a time."""
    writer = csv.writer(Echo())
    yield writer.writerow(HEADER)
    for event in events:
        row = (
            f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            event.actor_label,
            event.get_actor_kind_display(),
            sentence(event),
            event.target_label,
            event.ip or "",
            event.request_id,
        )
        yield writer.writerow([cell(text) for text in row])
