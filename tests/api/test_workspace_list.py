"""The unpaginated list is bounded by the key limit, and revoked keys don't make it longer."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from apikeys.api.viewsets import base
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from organizations.models import Organization, User
from organizations.services import set_key_limit
from tests.apikeys.plans import plan_of, rows_read
from tests.factories import SYSTEM
from tests.pages.support import add_many_keys
from tests.support.client import ApiClient

MANY = 3_000


def path(organization: Organization) -> str:
    return f"/api/v1/workspaces/{organization.pk}/api-keys"


def names(call: ApiClient, organization: Organization, key: Issued) -> list[str]:
    answer = call("GET", path(organization), key=key)
    assert answer.status == 200
    return [item["name"] for item in answer.body]


@pytest.fixture
def revoked_since(acme: Organization, admin: User) -> Callable[[], None]:
    """Makes and revokes many keys, which are newer than all others."""

    def add() -> None:
        before = set(ApiKey.objects.values_list("pk", flat=True))
        add_many_keys(acme, admin, MANY)
        with transactions.allowed():
            ApiKey.objects.exclude(pk__in=before).update(revoked_at=timezone.now())

    return add


def test_it_reads_no_more_rows_for_keys_that_were_revoked(
    call: ApiClient,
    manager: Issued,
    make_key: Callable[..., Issued],
    acme: Organization,
    revoked_since: Callable[[], None],
) -> None:
    for number in range(20):
        make_key(name=f"Live {number}")
    call.writes_usage = False

    few = rows_read(lambda: names(call, acme, manager))
    revoked_since()
    many = rows_read(lambda: names(call, acme, manager))

    expected = [*(f"Live {number}" for number in reversed(range(20))), "Manager"]
    assert names(call, acme, manager) == expected
    assert many <= few * 2


def test_the_control_reads_them_all(
    acme: Organization, make_key: Callable[..., Issued], revoked_since: Callable[[], None]
) -> None:
    """What the count above has to catch: the newest along the index of all ids."""
    make_key()
    keys = ApiKey.objects.filter(organization_id=acme.pk).order_by("-id")

    few = rows_read(lambda: [key for key in keys.all() if not key.revoked_at])
    revoked_since()
    many = rows_read(lambda: [key for key in keys.all() if not key.revoked_at])

    assert many > few * 10


def test_live_keys_are_found_along_the_index_of_live_names(
    acme: Organization, make_key: Callable[..., Issued], revoked_since: Callable[[], None]
) -> None:
    make_key()
    revoked_since()
    live = ApiKey.objects.for_organization(acme.pk).unrevoked().order_by("name_key")

    plan = plan_of(lambda: list(live.values_list("pk", flat=True)[:1_001]))

    assert "one_live_key_per_name" in plan


def test_it_takes_the_same_queries_for_any_number_of_keys(
    call: ApiClient, manager: Issued, acme: Organization, admin: User
) -> None:
    call.writes_usage = False
    with CaptureQueriesContext(connection) as few:
        names(call, acme, manager)
    add_many_keys(acme, admin, 200)
    with CaptureQueriesContext(connection) as many:
        names(call, acme, manager)

    assert len(many) == len(few)


@pytest.mark.parametrize("own", [5, None])
def test_no_more_than_the_limit_of_keys_the_newest_first(
    call: ApiClient,
    manager: Issued,
    acme: Organization,
    admin: User,
    settings: Settings,
    own: int | None,
) -> None:
    add_many_keys(acme, admin, 9)
    settings.KEYS_PER_ORGANIZATION = 5
    set_key_limit(acme, limit=own, actor=SYSTEM)

    assert names(call, acme, manager) == [f"Bulk {n:05}" for n in (8, 7, 6, 5, 4)]


@pytest.mark.parametrize("own", [0, 8])
def test_no_more_than_a_thousand_where_there_may_be_more_keys(
    call: ApiClient,
    manager: Issued,
    acme: Organization,
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
    own: int,
) -> None:
    assert base.WHOLE_LIST == 1_000
    monkeypatch.setattr("apikeys.api.viewsets.keys.WHOLE_LIST", 4)
    add_many_keys(acme, admin, 6)
    set_key_limit(acme, limit=own, actor=SYSTEM)

    assert names(call, acme, manager) == [f"Bulk {n:05}" for n in (5, 4, 3, 2)]


def test_a_test_key_sees_the_test_keys_alone(
    call: ApiClient, manager: Issued, tester: Issued, acme: Organization
) -> None:
    assert names(call, acme, tester) == ["Tester"]
    assert names(call, acme, manager) == ["Tester", "Manager"]
