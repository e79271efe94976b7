"""Number of queries per operation. More is a regression; if there are fewer, update the table.

Every request starts with the one query that finds the secret and everything that decides whether
its key is valid.
"""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import ServiceAccountFactory, TemplateFactory
from tests.support.api import CURRENT, KEYS, MakeKey, one, templates
from tests.support.client import ApiClient

VERIFY = 1
BODY = 1  # the secret again, once the body is here; none of a key that is cached
ORGANIZATION = 1  # the actor's own, for the policy
SAVEPOINTS = 2  # of a transaction, inside the test's own: open and release
BEGIN = 2  # the organization's lock, and the acting key as it is now
LOCK = 1  # the row as it is now, kept from other writers
FIND = 2  # the key with its organization and service account, and its newest secret
SHOW = 2  # the organization and the newest secret of the row that was locked
EVENT = 1  # one audit event


def cost(call: ApiClient, method: str, path: str, body: Any, key: Issued) -> int:
    """The queries of one successful call; usage is written in batches, by another thread."""
    call.writes_usage = False
    with CaptureQueriesContext(connection) as queries:
        answer = call(method, path, body, key=key)
    assert answer.status < 300, answer.raw
    return len(queries)


@pytest.fixture
def used(call: ApiClient, manager: Issued) -> Issued:
    """A key whose last use has been written this minute."""
    call("GET", CURRENT, key=manager)
    return manager


@pytest.fixture
def target(make_key: MakeKey, acme: Organization) -> Issued:
    """A key to work on, with a service account."""
    return make_key(service_account=ServiceAccountFactory.create(organization=acme))


def test_verification_is_one_query(call: ApiClient, reader: Issued) -> None:
    unknown = "sig_live_" + "0" * 34 + "1TfrOg"

    with CaptureQueriesContext(connection) as queries:
        assert call("GET", CURRENT, key=unknown).status == 401

    assert len(queries) == VERIFY


def test_current(call: ApiClient, used: Issued) -> None:
    key = 1  # with its organization and service account
    secret = 1  # the newest, for the prefix

    assert cost(call, "GET", CURRENT, None, used) == VERIFY + key + secret


def test_the_first_use_in_a_minute_costs_a_request_nothing(
    call: ApiClient, used: Issued, reader: Issued
) -> None:
    again = cost(call, "GET", CURRENT, None, used)

    assert cost(call, "GET", CURRENT, None, reader) == again


def test_retrieve(call: ApiClient, used: Issued, target: Issued) -> None:
    assert cost(call, "GET", one(target), None, used) == VERIFY + ORGANIZATION + FIND


@pytest.mark.parametrize("count", [1, 20, 100])
def test_a_page_costs_the_same_however_many_keys_it_has(
    call: ApiClient, used: Issued, make_key: MakeKey, acme: Organization, count: int
) -> None:
    for _ in range(count - 1):
        make_key(service_account=ServiceAccountFactory.create(organization=acme))
    keys_and_secrets = 2

    spent = cost(call, "GET", f"{KEYS}?limit=100", None, used)

    assert spent == VERIFY + ORGANIZATION + keys_and_secrets


def test_a_page_by_cursor_and_filter_costs_no_more(
    call: ApiClient, used: Issued, target: Issued
) -> None:
    path = f"{KEYS}?status=active&limit=1"
    cursor = call("GET", path, key=used).body["pagination"]["cursor"]
    keys_and_secrets = 2

    spent = cost(call, "GET", f"{path}&cursor={cursor}", None, used)

    assert spent == VERIFY + ORGANIZATION + keys_and_secrets


def test_create(call: ApiClient, used: Issued) -> None:
    body = {"name": "New", "scopes": ["search:read"]}
    key = SAVEPOINTS + 1  # its own savepoint turns the loss of a race into a 409
    secret = 1

    expected = VERIFY + BODY + ORGANIZATION + SAVEPOINTS + BEGIN + key + secret + EVENT
    assert cost(call, "POST", KEYS, body, used) == expected


def test_create_with_a_limit_of_keys(
    call: ApiClient, used: Issued, settings: Settings, make_key: MakeKey
) -> None:
    """However many keys there are."""
    body = {"name": "Plain", "scopes": ["search:read"]}
    free = cost(call, "POST", KEYS, body, used)
    settings.KEYS_PER_ORGANIZATION = 100
    look = 1  # at the key in the last place

    few = cost(call, "POST", KEYS, {**body, "name": "Few"}, used)
    for _ in range(50):
        make_key()
    many = cost(call, "POST", KEYS, {**body, "name": "Many"}, used)

    assert few == many == free + look


def test_create_for_a_service_account(call: ApiClient, used: Issued, target: Issued) -> None:
    account = target.key.service_account
    assert account is not None
    body = {"name": "New", "scopes": ["search:read"], "service_account": account.public_id}
    plain = {"name": "Plain", "scopes": ["search:read"]}
    find_account, read_it_again_under_the_lock = 1, 1

    with_account = cost(call, "POST", KEYS, body, used)

    more = find_account + read_it_again_under_the_lock
    assert with_account == cost(call, "POST", KEYS, plain, used) + more


def test_update(call: ApiClient, used: Issued, target: Issued) -> None:
    save = SAVEPOINTS + 1  # as with creating

    changed = SAVEPOINTS + BEGIN + LOCK + save + EVENT + SHOW
    expected = VERIFY + BODY + ORGANIZATION + FIND + changed
    assert cost(call, "PATCH", one(target), {"name": "Renamed"}, used) == expected


def test_revoke(call: ApiClient, used: Issued, target: Issued) -> None:
    save = 1

    expected = VERIFY + ORGANIZATION + FIND + SAVEPOINTS + BEGIN + LOCK + save + EVENT + SHOW
    assert cost(call, "DELETE", one(target), None, used) == expected


def test_rotate(call: ApiClient, used: Issued, target: Issued) -> None:
    current_before_and_after_the_lock = 2  # whoever sees two has lost a race
    overlap = 1
    retire = 2  # the secrets that overlap still, and the current one
    secret, save = 1, 1
    show = SHOW - 1  # the newest secret is at hand

    spent = cost(call, "POST", f"{one(target)}/rotate", None, used)

    before = VERIFY + ORGANIZATION + FIND + SAVEPOINTS + BEGIN + LOCK + EVENT
    rest = current_before_and_after_the_lock + overlap + retire + secret + save
    assert spent == before + rest + show


@pytest.mark.parametrize("count", [1, 20, 100])
def test_a_page_of_templates(call: ApiClient, used: Issued, acme: Organization, count: int) -> None:
    for _ in range(count):
        TemplateFactory.create(organization=acme)
    page, total = 1, 1

    spent = cost(call, "GET", f"{templates(acme)}?pageSize=100", None, used)

    assert spent == VERIFY + ORGANIZATION + page + total


def test_templates_one_by_one(call: ApiClient, used: Issued, acme: Organization) -> None:
    find = 1  # with its organization
    path = f"{templates(acme)}/{TemplateFactory.create(organization=acme).public_id}"
    before = VERIFY + ORGANIZATION
    save = SAVEPOINTS + 1  # as with keys
    delete = 1

    assert cost(call, "GET", path, None, used) == before + find
    changed = cost(call, "PATCH", path, {"name": "New"}, used)
    assert changed == before + BODY + find + SAVEPOINTS + BEGIN + LOCK + save + EVENT
    made = cost(call, "POST", templates(acme), {"name": "X", "scopes": ["search:read"]}, used)
    assert made == before + BODY + SAVEPOINTS + BEGIN + save + EVENT
    gone = cost(call, "DELETE", path, None, used)
    assert gone == before + find + SAVEPOINTS + BEGIN + LOCK + EVENT + delete
