"""The filters above the audit log: a search, who, what and when."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils import timezone

from apikeys.pages.activity.filters import KINDS, AuditFilter
from core.forms import TextField

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2999
#: The period between two days, which have fields of their own.
EXACT: Final = "dates"
_DAYS: Final = ("since", "until")
_PERIODS: Final = (
    ("", "Any time"),
    ("1", "Today"),
    ("7", "Last 7 days"),
    ("30", "Last 30 days"),
    ("90", "Last 90 days"),
    (EXACT, "Exact dates…"),
)


def _text_input(placeholder: str, kind: str = "text") -> forms.TextInput:
    attributes = {"class": "input", "placeholder": placeholder, "autocomplete": "off"}
    return forms.TextInput(attrs={**attributes, "type": kind})


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "input"})


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"class": "input", "type": "date"})


class FilterForm(forms.Form):
    q = TextField(
        required=False,
        label="Search by key name or ID, IP address, or request ID",
        widget=_text_input("Search by key, IP address, or request ID", "search"),
    )
    actor = TextField(required=False, label="Who", widget=_text_input("Anyone"))
    kind = forms.ChoiceField(
        required=False, label="What", choices=[("", "All events"), *KINDS.items()], widget=_select()
    )
    period = forms.ChoiceField(required=False, label="When", choices=_PERIODS, widget=_select())
    since = forms.DateField(required=False, label="From", widget=_date_input())
    until = forms.DateField(required=False, label="To", widget=_date_input())

    def __init__(self, query: QueryDict) -> None:
        super().__init__(_with_period(query))
        for name, field in self.fields.items():
            if self.data.get(name):
                field.widget.attrs["class"] += " is-set"

    def clean(self) -> dict[str, Any]:
        # Limits years to 2000–2999: date arithmetic must not overflow.
        for name in _DAYS:
            day = self.cleaned_data.get(name)
            if day and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
                self.add_error(name, f"Choose a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
        first, last = (self.cleaned_data.get(name) for name in _DAYS)
        if first and last and first > last:
            self.add_error("until", "Choose the first day or a later one.")
        return self.cleaned_data

    @property
    def dates(self) -> list[forms.BoundField]:
        return [self[name] for name in _DAYS]

    @property
    def is_set(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    @property
    def question(self) -> list[tuple[str, Any]]:
        """What was asked for, with the period by its name: its first day changes at midnight."""
        return sorted(self.cleaned_data.items())

    @property
    def audit_filter(self) -> AuditFilter:
        """Available only after `is_valid`."""
        values = self.cleaned_data
        since = values["since"]
        if values["period"].isdecimal():
            since = timezone.now().date() - timedelta(days=int(values["period"]) - 1)
        return AuditFilter(
            text=values["q"],
            actor=values["actor"],
            kind=values["kind"],
            since=since,
            until=values["until"],
        )


def _with_period(query: QueryDict) -> QueryDict:
    """The query, with days only for the exact period, which links with days needn't name.

    A browser also sends the fields of the days while they are hidden.
    """
    data = query.copy()
    if "period" not in data and any(data.get(name) for name in _DAYS):
        data["period"] = EXACT
    if data.get("period") != EXACT:
        for name in _DAYS:
            data.pop(name, None)
    return data
