"""Filters of lists in the admin, in the words of their columns."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin


class TierFilter(admin.AllValuesFieldListFilter):
    """Filters by rate-limit tier, capitalized as in the list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "rate limit"

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": str(choice["display"]).capitalize()}


class DateFilter(admin.DateFieldListFilter):
    """Filters by when something happened."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "date"


class ClosedFilter(admin.EmptyFieldListFilter):
    """Filters organizations by whether they are closed."""

    heading = "state"
    labels: tuple[str, ...] = ("All", "Open", "Closed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = self.heading

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice, label in zip(super().choices(changelist), self.labels, strict=True):
            yield {**choice, "display": label}


class DisabledFilter(ClosedFilter):
    """Filters service accounts by whether they are disabled."""

    heading = "status"
    labels = ("All", "Active", "Disabled")
