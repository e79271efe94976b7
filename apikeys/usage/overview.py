"""Figures of the whole installation, for the start page of the staff.

None of their queries has an index of its own, so they are made at most once a minute.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeySecret, KeyUsage, Status
from apikeys.usage.key_request import REFUSED
from apikeys.usage.reports import Interval
from organizations.models import Organization

#: Seconds for which the figures are kept.
_KEPT: Final = 60
#: Keys and organizations are counted up to this number.
MOST: Final = 1000
#: Days for which the use of a retired secret counts as unusual.
UNUSUAL_DAYS: Final = 7


class Figure(StrEnum):
    EXPIRING_IN_7_DAYS = "expiring-in-7-days"
    EXPIRING_IN_30_DAYS = "expiring-in-30-days"
    REFUSED_TODAY = "keys-refused-today"
    USED_AFTER_ROTATION = "used-after-rotation"
    ACCESS_OFF = "organizations-with-access-off"


def figures() -> dict[Figure, int]:
    """Each figure; those above MOST as MOST + 1."""
    names = {f"overview:{figure}": figure for figure in Figure}
    kept = cache.get_many(names)
    if len(kept) < len(names):
        kept = {f"overview:{figure}": _count(rows) for figure, rows in _rows().items()}
        cache.set_many(kept, _KEPT)
    return {figure: kept[name] for name, figure in names.items()}


def _count(rows: QuerySet[ApiKey] | QuerySet[Organization]) -> int:
    return rows.order_by()[: MOST + 1].count()


def _rows() -> dict[Figure, QuerySet[ApiKey] | QuerySet[Organization]]:
    return {
        Figure.EXPIRING_IN_7_DAYS: _expiring(7),
        Figure.EXPIRING_IN_30_DAYS: _expiring(30),
        Figure.REFUSED_TODAY: refused_since_days(0),
        Figure.USED_AFTER_ROTATION: with_retired_secret_used(UNUSUAL_DAYS),
        Figure.ACCESS_OFF: Organization.objects.filter(api_access_enabled=False),
    }


def _expiring(days: int) -> QuerySet[ApiKey]:
    """Active keys that expire within so many days."""
    now = timezone.now()
    active = ApiKey.objects.with_status(Status.ACTIVE, now)
    return active.filter(expires_at__gt=now, expires_at__lte=now + timedelta(days=days))


def refused_since_days(days: int) -> QuerySet[ApiKey]:
    """Keys with refused requests since the start of the day in UTC, that many days ago."""
    since = Interval.DAY.floor(timezone.now()) - timedelta(days=days)
    refused = KeyUsage.objects.filter(hour__gte=since, result__in=REFUSED)
    return ApiKey.objects.filter(pk__in=refused.values("key_id"))


def with_retired_secret_used(days: int) -> QuerySet[ApiKey]:
    """Keys of which a secret was used after a rotation had retired it."""
    since = timezone.now() - timedelta(days=days)
    used = ApiKeySecret.objects.filter(misused_at__gte=since)
    return ApiKey.objects.filter(pk__in=used.values("key_id"))
