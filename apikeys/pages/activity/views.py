"""The Activity page: an organization's audit log, and its export."""

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.pages.activity import filters
from apikeys.pages.activity.entries import by_day
from apikeys.pages.activity.filter_form import FilterForm
from apikeys.pages.activity.filters import AuditFilter, AuditPage, find_all, page_of, rows
from apikeys.pages.base import DeveloperPage
from apikeys.pages.csv_export import begin_export, csv_response, paced
from core import bulkheads
from core.actors import ActorKind
from core.bulkheads import Kind
from core.exceptions import Busy
from organizations.models import AuditEvent, AuditEventQuerySet, ServiceAccount

#: Text searches per person: more than anyone reads, fewer than a script sends.
_SEARCHES: Final = "30/minute"


def _is_text_search(request: HttpRequest) -> bool:
    query = request.GET
    actor, text = query.get("actor", "").strip(), query.get("q", "").strip()  # as the form does
    return AuditFilter(actor=actor, text=text).has_text


class TrailPage(DeveloperPage):
    """Base of the pages about an organization's audit events."""

    tab = "activity"

    def early_refusal(self, request: HttpRequest) -> Busy | None:
        busy = super().early_refusal(request)
        if busy or not _is_text_search(request):
            return busy
        return self.known_pace_refusal(request, "search")

    @property
    def events(self) -> AuditEventQuerySet:
        """The organization's events that the user may see."""
        return AuditEvent.objects.visible_log_of(self.organization.id, self.actor)

    def show_trail(self, context: dict[str, Any], status: int) -> HttpResponse:
        """Shows the page, including how long IP addresses are kept."""
        kept = {"address_days": settings.RETENTION_ADDRESS_DAYS}
        return self.render("apikeys/activity.html", {**kept, **context}, status)


class Activity(TrailPage):
    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "search" if _is_text_search(request) else None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Shows no events if the filter is invalid, only its errors."""
        form = FilterForm(request.GET)
        if not form.is_valid():
            return self._show(form, AuditPage([]), "", 422)
        return self._show(form, *self._find(form))

    def _find(self, form: FilterForm) -> tuple[AuditPage, str]:
        """A page of events. Text searches are limited because they read far more than they show."""
        cursor, binding = self.request.GET.get("cursor", ""), (self.organization.id, form.question)
        audit_filter = form.audit_filter
        if not audit_filter.has_text:
            return page_of(self.events, audit_filter, cursor, binding)
        with bulkheads.hold("search", self.organization.id):
            self.require_pace("search", _SEARCHES)
            return page_of(self.events, audit_filter, cursor, binding)

    def _show(
        self, form: FilterForm, page: AuditPage, next_cursor: str, status: int = 200
    ) -> HttpResponse:
        request = self.request
        query = request.GET.copy()
        cursor = query.pop("cursor", None)
        exported = query.urlencode()
        query["cursor"] = next_cursor
        context = {
            "form": form,
            "days": by_day(page.events, self.organization, self._urls(page), timezone.now()),
            "searched": filters.SEARCHED,
            "searched_to": page.searched_to,
            "following": query.urlencode() if next_cursor else "",
            "exported": exported,
            "is_later_page": bool(cursor),
            "is_filtered": form.is_set,
        }
        return self.show_trail(context, status)

    def _urls(self, page: AuditPage) -> dict[UUID, str]:
        """The pages of the keys and service accounts of the events, without deleted ones."""
        keys = self.organization_keys().unrevoked()
        keys = keys.filter(pk__in=_ids_of(ApiKey, page.events))
        accounts = ServiceAccount.objects.visible_to(self.actor).undeleted()
        accounts = accounts.for_organization(self.organization.id)
        accounts = accounts.filter(pk__in=_ids_of(ServiceAccount, page.events))
        return {
            **{key.pk: self.page_url("key", key.public_id) for key in keys.only("pk")},
            **{
                account.pk: self.page_url("service-account", account.public_id)
                for account in accounts.only("pk")
            },
        }


def _ids_of(model: type[Model], events: Iterable[AuditEvent]) -> set[UUID]:
    """The IDs of the model's objects that the events are about, or that acted."""
    found = {event.target_id for event in events if event.target_type == model.__name__}
    if model is ApiKey:
        found |= {event.actor_id for event in events if event.actor_kind == ActorKind.KEY}
    return {pk for pk in found if pk}


class ActivityExport(TrailPage):
    """The filtered events as CSV."""

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "export"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Streams the events while they are read, so a long log needs little memory."""
        form = FilterForm(request.GET)
        if not form.is_valid():
            return self.show_trail({"form": form, "exported": ""}, 422)
        if form.audit_filter.has_text:
            self.require_pace("search", _SEARCHES)
        place = begin_export(self.organization, what="activity", actor=self.actor)
        events = chain.from_iterable(paced(find_all(self.events, form.audit_filter)))
        name = f"activity-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        return csv_response(place, rows(events, self.organization), name)
