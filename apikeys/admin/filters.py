"""Admin filters of the key list."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apikeys.models import ApiKey, Status
from apikeys.usage import overview

Choices = list[tuple[str, str]]


class StatusFilter(admin.SimpleListFilter):
    """Filters by derived status."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(status, status.capitalize()) for status in reversed(Status)]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[ApiKey]:
        keys: QuerySet[ApiKey] = queryset
        if self.value() in list(Status):
            keys = queryset.with_status(self.value(), timezone.now())
        return keys


class ExpiryFilter(admin.SimpleListFilter):
    """Filters by expiry."""

    title = "expiry"
    parameter_name = "expiry"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("past", "Expired"),
            ("7", "Within 7 days"),
            ("30", "Within 30 days"),
            ("later", "Later than 30 days"),
            ("never", "Never"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        now = timezone.now()
        conditions = {
            "past": Q(expires_at__lte=now),
            "7": Q(expires_at__gt=now, expires_at__lte=now + timedelta(days=7)),
            "30": Q(expires_at__gt=now, expires_at__lte=now + timedelta(days=30)),
            "later": Q(expires_at__gt=now + timedelta(days=30)),
            "never": Q(expires_at=None),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


class IdlenessFilter(admin.SimpleListFilter):
    """Filters by time since the last use."""

    title = "last use"
    parameter_name = "idle"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("never", "Never used"),
            ("30", "Unused for 30 days"),
            ("90", "Unused for 90 days"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        now = timezone.now()
        conditions = {
            "never": Q(last_used_at=None),
            "30": _unused_since(now - timedelta(days=30)),
            "90": _unused_since(now - timedelta(days=90)),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


class RefusalFilter(admin.SimpleListFilter):
    """Filters keys whose requests were refused."""

    title = "rejected requests"
    parameter_name = "refused"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("today", "Today"), ("7", "In 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        days = {"today": 0, "7": 6}.get(self.value() or "")
        if days is None:
            return queryset
        return queryset.filter(pk__in=overview.refused_since_days(days).values("pk"))


class UnusualFilter(admin.SimpleListFilter):
    """Filters keys with unusual activity."""

    title = "unusual activity"
    parameter_name = "unusual"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("retired", f"Old secret used in {overview.UNUSUAL_DAYS} days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        if self.value() != "retired":
            return queryset
        found = overview.with_retired_secret_used(overview.UNUSUAL_DAYS)
        return queryset.filter(pk__in=found.values("pk"))


def _unused_since(moment: datetime) -> Q:
    """Keys that were never used count from their creation."""
    never = Q(last_used_at=None, created_at__lte=moment)
    return never | Q(last_used_at__lte=moment)
