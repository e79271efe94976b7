"""Read-only admin of the audit log.

The log only grows, and most searches have no index. So the list shows, counts and searches the
newest SEARCHED events, and links to older ones.
"""

import uuid
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import bulkheads
from core.actors import ActorKind
from core.exceptions import Busy
from organizations.admin.base import ReadOnlyAdmin, SearchedList, rendered
from organizations.admin.display import (
    client,
    event_in_words,
    in_words,
    link_to,
    moment,
    two_lines,
)
from organizations.admin.filters import DateFilter
from organizations.events import every_event
from organizations.models import AuditEvent, AuditEventQuerySet, Organization
from organizations.pages.base import with_retry

#: Events that a list reads at most.
SEARCHED: Final = 10_000
#: Events that a list shows at most for one organization or target, found by an index.
LISTED: Final = 1000
#: Digits of the largest number that every database accepts.
_DIGITS: Final = 18


class EventFilter(admin.SimpleListFilter):
    """Filters by event name. Uses the registered names, to not read the log for them."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, event_in_words(name)) for name in every_event()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent]
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class OlderFilter(admin.SimpleListFilter):
    """Filters events before an event's number, for the link to older events."""

    title = "time"
    parameter_name = "before"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        before = _number(self.value())
        moment = _moment(before)
        return [(str(before), f"Before {moment:%Y-%m-%d %H:%M} UTC")] if moment else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent]
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(number__lt=_number(self.value()))


class AuditEventChangeList(SearchedList):
    """Limits the events before any filter or search that would read each of them."""

    #: The number of the oldest event that was read, if there may be older ones.
    oldest: int | None = None

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[AuditEvent]:
        events = AuditEvent.objects.order_by("-number")
        if getattr(request, "shows_nothing", False):
            events = events.none()
        before = _number(request.GET.get("before"))
        if before:
            events = events.filter(number__lt=before)
        self.root_queryset = events.filter(self._bounds(events, request))
        return super().get_queryset(request, exclude_parameters)

    def _bounds(self, events: AuditEventQuerySet, request: HttpRequest) -> Q:
        """Uses an index if an ID is searched for: an organization's or a target's events.

        A person's own actions have no index and are searched for among the newest events.
        """
        organization = _uuid(request.GET.get("organization_id"))
        if organization:
            return self._first(events.log_of(organization))
        target = _uuid(self.query.strip())
        if target is None:
            return self._newest(events)
        if events.log_of(target).exists():
            return self._first(events.log_of(target))
        done = Q(actor_id=target) & self._newest(events)
        return self._first(events.about(target)) | done

    def _first(self, events: AuditEventQuerySet) -> Q:
        found = list(events.values_list("number", flat=True)[:LISTED])
        self._note_oldest(found[-1] if len(found) == LISTED else None)
        return Q(number__in=found)

    def _newest(self, events: AuditEventQuerySet) -> Q:
        last, _ = events.oldest_of_newest(SEARCHED) or (None, None)
        self._note_oldest(last)
        return Q(number__gte=last) if last else Q()

    def _note_oldest(self, last: int | None) -> None:
        """Keeps the newer of two limits, so that no events are skipped."""
        self.oldest = max(filter(None, (self.oldest, last)), default=None)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    list_display = ("time", "what", "actor", "target", "origin", "request")
    fields = readonly_fields = (
        "at",
        "event",
        "organization",
        "actor",
        "actor_uuid",
        "target",
        "target_uuid",
        "details",
        "ip",
        "agent",
        "request",
        "number",
        "uuid",
    )
    list_display_links = ("time", "what")
    list_filter = (EventFilter, "actor_kind", ("at", DateFilter), OlderFilter)
    search_fields = ("actor_label", "target_label", "request_id")
    search_help_text = "A person, key, target or request ID, or the UUID of any of them."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    @admin.display(description="Time")
    def time(self, event: AuditEvent) -> str:
        return moment(event.at)

    @admin.display(description="Event")
    def what(self, event: AuditEvent) -> str:
        return event_in_words(event.event)

    @admin.display(description="Actor")
    def actor(self, event: AuditEvent) -> SafeString:
        """Who did it, with a link to the person or key."""
        kind = "ApiKey" if event.actor_kind == ActorKind.KEY else "User"
        label = link_to(kind, event.actor_id, event.actor_label)
        return two_lines(label, event.get_actor_kind_display())

    @admin.display(description="Target")
    def target(self, event: AuditEvent) -> SafeString:
        """What it was done to, with a link if it has a page."""
        label = link_to(event.target_type, event.target_id, event.target_label)
        return two_lines(label, in_words(event.target_type))

    @admin.display(description="IP address")
    def origin(self, event: AuditEvent) -> str:
        return event.ip or "–"

    @admin.display(description="User agent")
    def agent(self, event: AuditEvent) -> SafeString | str:
        return client(event.user_agent)

    @admin.display(description="Request ID")
    def request(self, event: AuditEvent) -> SafeString | str:
        return format_html("<code>{}</code>", event.request_id) if event.request_id else "–"

    @admin.display(description="Organization")
    def organization(self, event: AuditEvent) -> SafeString | str:
        """The organization, with a link. Its ID if it no longer exists."""
        found = Organization.objects.filter(pk__in=[event.organization_id]).first()
        label = found or event.organization_id or "–"
        return link_to("Organization", found.pk if found else None, label)

    @admin.display(description="Actor UUID")
    def actor_uuid(self, event: AuditEvent) -> str:
        return str(event.actor_id or "–")

    @admin.display(description="Target UUID")
    def target_uuid(self, event: AuditEvent) -> str:
        return str(event.target_id or "–")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AuditEventChangeList

    def _with_older(
        self, request: HttpRequest, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        """Adds the link to older events if the list is limited."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        changes = context.get("cl")
        if isinstance(changes, AuditEventChangeList) and changes.oldest:
            older = changes.get_query_string({"before": changes.oldest}, ["p"])
            context |= {"searched_to": _moment(changes.oldest), "older": older}
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        if _uuid(search_term.strip()):
            return queryset, False  # AuditEventChangeList has already searched for it
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. A text search, which has no index, takes a bulkhead place."""
        if not _looks_for_text(request.GET.get("q", "")):
            return self._with_older(request, extra_context)
        try:
            with bulkheads.hold("search", None):
                return rendered(self._with_older(request, extra_context))
        except Busy as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            request.shows_nothing = True  # type: ignore[attr-defined]
            return with_retry(self._with_older(request, extra_context), refusal)

    def subject_of(self, shown: AuditEvent) -> Any:
        return shown.target_id or shown.pk

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "organization_id" or super().lookup_allowed(lookup, value, request)


def _looks_for_text(search_term: str) -> bool:
    return bool(search_term.strip()) and _uuid(search_term.strip()) is None


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    """The number of an event. None for invalid input, including 0."""
    known = text and text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    return int(text) or None if text and known else None


def _moment(number: int | None) -> datetime | None:
    if number is None:
        return None
    return AuditEvent.objects.filter(number=number).values_list("at", flat=True).first()
