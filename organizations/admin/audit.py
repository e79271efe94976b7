"""The audit trail, to be read only.

It grows without end, and most of what staff look for has no index. So a list shows, counts and
searches the newest SEARCHED events, and links to the same among older ones.
"""

import uuid
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from core import bulkheads
from core.exceptions import Busy
from organizations.admin.base import ReadOnlyAdmin, SearchedList, rendered
from organizations.events import every_event
from organizations.models import AuditEvent, AuditEventQuerySet
from organizations.pages.base import with_retry

#: The most events that a list looks at.
SEARCHED: Final = 10_000
#: The most of those that an index finds for one organization or target.
LISTED: Final = 1000
#: Of the largest number that every database takes.
_DIGITS: Final = 18


class EventFilter(admin.SimpleListFilter):
    """By name of the event. The names are known, so that the trail is not read for them."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in every_event()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent]
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class OlderFilter(admin.SimpleListFilter):
    """What the link to older events leads to: those before an event, by its number."""

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


class TrailChangeList(SearchedList):
    """Bounds the events before any filter or search that would have to look at each of them."""

    #: The number of the oldest event that was looked at, if there may be older ones.
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
        """By an index where an id is looked for: an organization's events, or a target's.

        What a person has done has no index, and is looked for among the newest events.
        """
        organization = _uuid(request.GET.get("organization_id"))
        if organization:
            return self._first(events.trail_of(organization))
        wanted = _uuid(self.query.strip())
        if wanted is None:
            return self._newest(events)
        if events.trail_of(wanted).exists():
            return self._first(events.trail_of(wanted))
        done = Q(actor_id=wanted) & self._newest(events)
        return self._first(events.about(wanted)) | done

    def _first(self, events: AuditEventQuerySet) -> Q:
        found = list(events.values_list("number", flat=True)[:LISTED])
        self._note_oldest(found[-1] if len(found) == LISTED else None)
        return Q(number__in=found)

    def _newest(self, events: AuditEventQuerySet) -> Q:
        last, _ = events.oldest_of_newest(SEARCHED) or (None, None)
        self._note_oldest(last)
        return Q(number__gte=last) if last else Q()

    def _note_oldest(self, last: int | None) -> None:
        """Where there are two limits, older events begin at the newer one, so that none is lost."""
        self.oldest = max(filter(None, (self.oldest, last)), default=None)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    """Who did what, when and from where."""

    list_display = ("at", "actor_label", "event", "target_type", "target_label", "ip", "request_id")
    fields = readonly_fields = (
        "at",
        "event",
        "organization_id",
        "actor_kind",
        "actor_label",
        "actor_id",
        "target_type",
        "target_label",
        "target_id",
        "details",
        "ip",
        "user_agent",
        "request_id",
        "number",
        "id",
    )
    list_display_links = ("at", "event")
    list_filter = (EventFilter, "actor_kind", "at", OlderFilter)
    search_fields = ("actor_label", "target_label", "request_id")
    search_help_text = "A person, a key, a target, a request id, or the UUID of any of them."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TrailChangeList

    def _with_older(
        self, request: HttpRequest, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        """The list, with the link to older events where it is bounded."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        trail = context.get("cl")
        if isinstance(trail, TrailChangeList) and trail.oldest:
            older = trail.get_query_string({"before": trail.oldest}, ["p"])
            context |= {"searched_to": _moment(trail.oldest), "older": older}
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        if _uuid(search_term.strip()):
            return queryset, False  # TrailChangeList has found what it concerns
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a search for text, which no index helps with, waits for a place."""
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
    """A place in the trail; None for what can't be one, 0 included."""
    known = text and text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    return int(text) or None if text and known else None


def _moment(number: int | None) -> datetime | None:
    if number is None:
        return None
    return AuditEvent.objects.filter(number=number).values_list("at", flat=True).first()
