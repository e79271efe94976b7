"""Usage queries of pages and the API take bounded time, no matter how old the usage is."""

from datetime import UTC, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey, KeyUsage
from apikeys.services import Issued
from apikeys.usage.reports import UNUSED_DAYS, Interval, Period, rows, unused_scopes
from core import transactions
from organizations.models import Organization, User
from tests.apikeys.plans import rows_read
from tests.pages.support import developer, sign_in
from tests.support.client import ApiClient

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="says how many rows it has read"
)
HOURS = 30_000


@pytest.fixture
def old(manager: Issued, db: None) -> ApiKey:
    """A key that was used in each hour of three years."""
    now = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    with transactions.allowed():
        ApiKey.objects.filter(pk=manager.key.pk).update(created_at=now - timedelta(hours=HOURS))
    KeyUsage.objects.bulk_create(
        KeyUsage(key=manager.key, hour=now - timedelta(hours=n), result="ok", requests=1)
        for n in range(HOURS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE apikeys_keyusage")
    manager.key.refresh_from_db()
    return manager.key


@pytest.mark.parametrize(
    ("asked", "days"), [("24h", 1), ("7d", 7), ("30d", 30), ("90d", 90)], ids=str
)
def test_the_page_reads_its_range_alone(
    acme: Organization, admin: User, old: ApiKey, asked: str, days: int
) -> None:
    """At most four queries: the bars, the busiest keys, their results, and the period before.

    A bitmap is read twice, in the index and in the table. A table of this size would be read whole.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    browser = sign_in(admin, Client())
    page = developer(acme, f"usage/?range={asked}")

    assert rows_read(lambda: browser.get(page)) <= 8 * 24 * (days + 1) + 200 < HOURS


def test_the_api_reads_its_range_alone(call: ApiClient, manager: Issued, old: ApiKey) -> None:
    path = f"/v1/api-keys/{manager.key.public_id}/usage"
    assert call("GET", path, key=manager).status == 200

    assert rows_read(lambda: call("GET", path, key=manager)) < 200


def test_the_file_reads_one_day_at_a_time(old: ApiKey) -> None:
    keys = ApiKey.objects.filter(pk=old.pk)
    file = rows(keys, Period.last(90, Interval.DAY))

    assert rows_read(lambda: next(file)) <= 24 + 10
    assert sum(1 for _ in file) + 1 == len(list(rows(keys, Period.last(90, Interval.DAY))))


def test_the_first_use_is_found_without_reading_the_others(old: ApiKey) -> None:
    assert timedelta(hours=HOURS) > timedelta(days=UNUSED_DAYS)
    assert unused_scopes(old)

    assert rows_read(lambda: unused_scopes(old)) < 50
