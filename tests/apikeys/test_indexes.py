"""Queries over many keys use an index."""

from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict

from apikeys.models import ApiKey, ApiKeySecret
from apikeys.pages.keys.key_filter import KeyFilter
from tests.apikeys.plans import plan_of


@pytest.fixture
def indexes_only(db: None) -> None:
    """PostgreSQL reads a small table whole, unless it is told not to."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")


@pytest.mark.usefixtures("indexes_only")
@pytest.mark.parametrize(
    ("column", "index"),
    [
        ("service_account_id", "keys_by_service_account"),
        ("created_by_id", "keys_by_created_by"),
        ("created_by_key_id", "keys_by_created_by_key"),
    ],
)
def test_keys_of_somebody_are_found_by_an_index(column: str, index: str) -> None:
    assert index in ApiKey.objects.filter(**{column: uuid4()}).explain()
    assert index in ApiKey.objects.filter(**{f"{column}__in": [uuid4(), uuid4()]}).explain()


@pytest.mark.usefixtures("indexes_only")
def test_the_newest_keys_of_an_organization_are_read_in_order() -> None:
    rows = ApiKey.objects.filter(organization_id=uuid4())

    page = rows.order_by("-id")[:20].explain()
    next_page = rows.filter(id__lt=uuid4()).order_by("-id")[:20].explain()
    listing = KeyFilter.from_query(QueryDict()).matching(rows.unrevoked())[:26].explain()

    for plan in (page, next_page, listing):
        assert "keys_of_organization" in plan
        assert "sort" not in plan.lower()
        assert "b-tree" not in plan.lower()


@pytest.mark.usefixtures("indexes_only")
def test_a_secret_is_found_by_its_digest() -> None:
    assert "digest" in ApiKeySecret.objects.filter(digest=b"\0" * 32).explain()


@pytest.mark.usefixtures("indexes_only")
def test_whether_a_limit_of_keys_is_reached_is_seen_among_live_keys_alone() -> None:
    """An organization may have deleted a million."""
    keys = ApiKey.objects.filter(organization_id=uuid4())

    plan = plan_of(lambda: keys.unrevoked().compare_count(1000))

    assert "one_live_key_per_name" in plan
    assert "sort" not in plan.lower()
    assert "b-tree" not in plan.lower()
