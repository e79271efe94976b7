"""Activity: who did what, with which key, when and from where."""

from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys.sentences import sentence
from apikeys.trail import KINDS, Asked, lines, page_of
from apikeys.views.base import DeveloperPage
from organizations.models import AuditEvent
from organizations.querysets import AuditEventQuerySet

_CHUNK: Final = 500
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2999


class FilterForm(forms.Form):
    """What to look for in the trail."""

    actor = forms.CharField(required=False, max_length=100, label="Who")
    kind = forms.ChoiceField(
        required=False, label="What", choices=[("", "Everything"), *KINDS.items()]
    )
    key = forms.CharField(required=False, max_length=100, label="Key, by name or ID")
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean(self) -> dict[str, Any]:
        """Refuses days that no calendar of ours has a day after."""
        for name in ("since", "until"):
            day = self.cleaned_data.get(name)
            if day and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
                self.add_error(name, f"Choose a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
        return self.cleaned_data

    @property
    def asked(self) -> Asked:
        """The filter; only after `is_valid`."""
        return Asked(**self.cleaned_data)


class TrailPage(DeveloperPage):
    """The events of one organization."""

    tab = "activity"

    @property
    def events(self) -> AuditEventQuerySet:
        """All that the visitor may see here."""
        return AuditEvent.objects.visible_to(self.actor).for_organization(self.organization.id)


class Activity(TrailPage):
    """Fifty events a page, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page; a filter that cannot be read shows nothing but what is wrong with it."""
        form = FilterForm(request.GET)
        found: list[AuditEvent] = []
        following = ""
        if form.is_valid():
            binding = (self.organization.id, form.asked)
            events = form.asked.of(self.events)
            found, following = page_of(events, request.GET.get("cursor", ""), binding)
        query = request.GET.copy()
        query.pop("cursor", None)
        exported = query.urlencode()
        query["cursor"] = following
        context = {
            "form": form,
            "rows": [{"event": event, "sentence": sentence(event)} for event in found],
            "following": query.urlencode() if following else "",
            "exported": exported,
            "is_filtered": any(request.GET.get(name) for name in form.fields),
        }
        return self.render("apikeys/activity.html", context, 200 if form.is_valid() else 422)


class ActivityExport(TrailPage):
    """The same as a file."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """CSV, sent while it is read, so that a long trail needs no memory."""
        form = FilterForm(request.GET)
        if not form.is_valid():
            return self.render("apikeys/activity.html", {"form": form, "rows": []}, status=422)
        events = form.asked.of(self.events).iterator(chunk_size=_CHUNK)
        name = f"activity-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            lines(events),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
