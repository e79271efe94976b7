"""The key limit in each format: a 409 in its shape, and what still works at the limit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apikeys.services import Issued
from organizations.models import Organization
from organizations.services import set_key_limit
from tests.api.formats.conftest import Send
from tests.api.formats.test_error_shapes import assert_shape
from tests.factories import SYSTEM
from tests.support.api import MakeKey, stored, without_request_id
from tests.support.client import Answer, ApiClient
from tests.support.dialects import CANONICAL, ENVELOPE, WORKSPACE, Dialect, that_can

AT_TWO = "This organization has reached its limit of 2 keys. Delete one to create another."
Create = Callable[..., Answer]


@pytest.fixture
def full(acme: Organization, manager: Issued, make_key: MakeKey) -> Issued:
    """The second of two keys that Acme has and may have; the first is the manager's."""
    second = make_key(name="Second")
    set_key_limit(acme, limit=2, actor=SYSTEM)
    return second


@pytest.fixture
def create(call: ApiClient, dialect: Dialect, acme: Organization, manager: Issued) -> Create:
    """Asks for a key, as the manager unless told otherwise."""

    def ask(name: str = "Third", key: Issued | None = None, **options: Any) -> Answer:
        body = dialect.body(name=name, scopes=["search:read"])
        return call("POST", dialect.keys(acme), body, key=key or manager, **options)

    return ask


def test_one_too_many_is_409_in_the_shape_of_the_format(
    create: Create, dialect: Dialect, full: Issued
) -> None:
    create()
    before = stored()

    answer = create()

    assert_shape(answer, dialect, 409, "key_limit_reached")
    assert answer.refusal.message == AT_TWO
    assert answer.refusal.type in ("conflict", None)
    assert answer.refusal.fields == ()
    assert stored() == before


@pytest.mark.parametrize("dialect", [CANONICAL, ENVELOPE], ids=str)
def test_it_leads_to_its_explanation(create: Create, client: Client, full: Issued) -> None:
    body = create().body

    address = body["docUrl"] if "docUrl" in body else body["error"]["doc_url"]
    assert address.endswith("/docs/errors/#key_limit_reached")
    assert 'id="key_limit_reached"' in client.get("/docs/errors/").content.decode()


def test_revoking_makes_room_for_one(
    create: Create, send: Send, dialect: Dialect, full: Issued
) -> None:
    assert send("DELETE", f"/{dialect.id_of(full.key)}").status == 200

    assert create().status == dialect.created
    assert create("Fourth").status == 409


@that_can("rotate", "update")
def test_a_key_is_rotated_and_changed_at_the_limit(
    send: Send, dialect: Dialect, full: Issued
) -> None:
    one = f"/{dialect.id_of(full.key)}"

    assert send("POST", f"{one}/rotate").status == 200
    assert send("PATCH", one, name="Renamed", enabled=False).status == 200
    assert send("PATCH", one, enabled=True).status == 200


def test_a_retry_at_the_limit_is_answered_with_its_key(
    create: Create, dialect: Dialect, acme: Organization, manager: Issued
) -> None:
    set_key_limit(acme, limit=2, actor=SYSTEM)
    headers = {"Idempotency-Key": "the-last-place"}
    first = create(headers=headers)
    before = stored()

    again = create(headers=headers)

    assert first.status == again.status == dialect.created
    assert again.headers["Idempotency-Replayed"] == "true"
    assert dialect.data(again.body)["id"] == dialect.data(first.body)["id"]
    assert create("Fourth", headers={"Idempotency-Key": "another"}).status == 409
    assert stored() == before


def test_a_call_that_found_no_room_is_made_later_with_the_same_token(
    create: Create, send: Send, dialect: Dialect, full: Issued
) -> None:
    headers = {"Idempotency-Key": "patient"}
    assert create(headers=headers).status == 409
    send("DELETE", f"/{dialect.id_of(full.key)}")

    answer = create(headers=headers)

    assert answer.status == dialect.created
    assert "Idempotency-Replayed" not in answer.headers


def test_test_keys_count_and_are_counted(
    create: Create, dialect: Dialect, acme: Organization, tester: Issued, manager: Issued
) -> None:
    set_key_limit(acme, limit=3, actor=SYSTEM)
    assert create("Of the test key", key=tester).status == dialect.created

    for key in (manager, tester):
        assert_shape(create("One more", key=key), dialect, 409, "key_limit_reached")


def test_another_organization_has_its_own(
    call: ApiClient, dialect: Dialect, full: Issued, globex: Organization, foreigner: Issued
) -> None:
    body = dialect.body(name="Theirs", scopes=["search:read"])

    assert call("POST", dialect.keys(globex), body, key=foreigner).status == dialect.created


def test_a_lesser_key_is_refused_as_ever(
    create: Create, dialect: Dialect, acme: Organization, manager: Issued, reader: Issued
) -> None:
    before = create(key=reader)
    set_key_limit(acme, limit=2, actor=SYSTEM)

    assert without_request_id(create(key=reader)) == without_request_id(before)
    assert before.status == 403


@pytest.mark.parametrize("dialect", [WORKSPACE], ids=str)
def test_a_foreign_key_learns_nothing_of_the_limit(
    create: Create, dialect: Dialect, acme: Organization, manager: Issued, foreigner: Issued
) -> None:
    before = create(key=foreigner)
    set_key_limit(acme, limit=1, actor=SYSTEM)

    assert without_request_id(create(key=foreigner)) == without_request_id(before)
    assert before.status == 404
