"""The Activity page: an organization's audit log, and its export."""

from itertools import chain
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys.pages.activity import filters
from apikeys.pages.activity.filters import KINDS, AuditFilter, AuditPage, find_all, page_of, rows
from apikeys.pages.activity.sentences import sentence
from apikeys.pages.base import DeveloperPage
from apikeys.pages.csv_export import begin_export, csv_response, paced
from core import bulkheads
from core.bulkheads import Kind
from core.forms import TextField
from organizations.models import AuditEvent, AuditEventQuerySet

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2999
#: Text searches per person: more than anyone reads, fewer than a script sends.
_SEARCHES: Final = "30/minute"


class FilterForm(forms.Form):
    actor = TextField(required=False, label="Who")
    kind = forms.ChoiceField(
        required=False, label="What", choices=[("", "Everything"), *KINDS.items()]
    )
    key = TextField(required=False, label="Key, by name or ID")
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean(self) -> dict[str, Any]:
        # Limits years to 2000–2999: date arithmetic must not overflow.
        for name in ("since", "until"):
            day = self.cleaned_data.get(name)
            if day and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
                self.add_error(name, f"Choose a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
        return self.cleaned_data

    @property
    def audit_filter(self) -> AuditFilter:
        """Available only after `is_valid`."""
        return AuditFilter(**self.cleaned_data)


class TrailPage(DeveloperPage):
    """Base of the pages about an organization's audit events."""

    tab = "activity"

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
        query = request.GET
        audit_filter = AuditFilter(actor=query.get("actor", ""), key=query.get("key", ""))
        return "search" if audit_filter.has_text else None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Shows no events if the filter is invalid, only its errors."""
        form = FilterForm(request.GET)
        if not form.is_valid():
            return self._show(form, AuditPage([]), "", 422)
        return self._show(form, *self._find(form.audit_filter))

    def _find(self, audit_filter: AuditFilter) -> tuple[AuditPage, str]:
        """A page of events. Text searches are limited because they read far more than they show."""
        cursor, binding = self.request.GET.get("cursor", ""), self.organization.id
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
        query.pop("cursor", None)
        exported = query.urlencode()
        query["cursor"] = next_cursor
        context = {
            "form": form,
            "rows": [
                {"event": event, "sentence": sentence(event, self.organization)}
                for event in page.events
            ],
            "searched": filters.SEARCHED,
            "searched_to": page.searched_to,
            "following": query.urlencode() if next_cursor else "",
            "exported": exported,
            "is_filtered": any(request.GET.get(name) for name in form.fields),
        }
        return self.show_trail(context, status)


class ActivityExport(TrailPage):
    """The filtered events as CSV."""

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "export"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Streams the events while they are read, so a long log needs little memory."""
        form = FilterForm(request.GET)
        if not form.is_valid():
            return self.show_trail({"form": form, "rows": []}, 422)
        if form.audit_filter.has_text:
            self.require_pace("search", _SEARCHES)
        place = begin_export(self.organization, what="activity", actor=self.actor)
        events = chain.from_iterable(paced(find_all(self.events, form.audit_filter)))
        name = f"activity-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        return csv_response(place, rows(events, self.organization), name)
