"""PATCH /v1/api-keys/{id}."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from organizations.models import AuditEvent
from tests.conftest import ALL_SCOPES
from tests.support.api import CURRENT, KEYS, MakeKey, never, one
from tests.support.client import ApiClient

CHANGES: dict[str, Any] = {
    "name": "Renamed",
    "description": "What it is for",
    "scopes": ["events:read", "search:read"],
    "metadata": {"team": "search"},
    "enabled": False,
}


@pytest.mark.parametrize("field", CHANGES)
def test_each_field_can_be_changed_by_itself(
    call: ApiClient, manager: Issued, reader: Issued, field: str
) -> None:
    before = call("GET", one(reader), key=manager).body
    answer = call("PATCH", one(reader), {field: CHANGES[field]}, key=manager)

    assert answer.status == 200
    assert answer.body[field] == CHANGES[field]
    follow = {field, "updated_at", "request_id"} | ({"status"} if field == "enabled" else set())
    assert {k: v for k, v in answer.body.items() if k not in follow} == {
        k: v for k, v in before.items() if k not in follow
    }


def test_the_answer_is_what_reading_gives_afterwards(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    answer = call("PATCH", one(reader), CHANGES, key=manager)
    read = call("GET", one(reader), key=manager)

    assert {**answer.body, "request_id": ""} == {**read.body, "request_id": ""}


def test_an_expiry_can_be_set_and_taken_away(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    end = f"{datetime.now(UTC) + timedelta(days=1):%FT%TZ}"

    assert call("PATCH", one(reader), {"expires_at": end}, key=manager).body["expires_at"] == end
    taken = call("PATCH", one(reader), {"expires_at": None}, key=manager)
    assert taken.body["expires_at"] is None


def test_changing_moves_updated_at_and_not_created_at(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        body = call("PATCH", one(reader), {"name": "Later"}, key=manager).body

    assert body["created_at"] == f"{reader.key.created_at:%FT%TZ}"
    assert body["updated_at"] > body["created_at"]


@pytest.mark.parametrize("body", [{}, {"name": "Reader"}, None])
def test_changing_nothing_is_200_and_leaves_no_event(
    call: ApiClient,
    manager: Issued,
    reader: Issued,
    body: object,
    events: Callable[..., list[AuditEvent]],
) -> None:
    before = len(events())

    assert call("PATCH", one(reader), body, key=manager).status == 200
    assert len(events()) == before


def test_one_event_tells_the_old_and_the_new_values(
    call: ApiClient,
    manager: Issued,
    reader: Issued,
    events: Callable[..., list[AuditEvent]],
) -> None:
    call("PATCH", one(reader), {"name": "Renamed"}, key=manager)

    event = events("api_key.updated")[0]
    assert event.details == {"name": ["Reader", "Renamed"]}
    assert event.actor_id == manager.key.id


def test_a_lesser_scope_list_counts_from_the_next_call(
    call: ApiClient, manager: Issued, make_key: MakeKey
) -> None:
    other = make_key(scopes=["api-keys:manage", "search:read"])
    assert call("GET", KEYS, key=other).status == 200
    call("PATCH", one(other), {"scopes": ["search:read"]}, key=manager)

    assert call("GET", KEYS, key=other).status == 403


def test_a_name_that_exists_is_409_and_changes_nothing(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    answer = call("PATCH", one(reader), {"name": "MANAGER", "description": "x"}, key=manager)

    assert (answer.status, answer.error["code"]) == (409, "name_taken")
    assert call("GET", one(reader), key=manager).body["description"] == ""


def test_a_key_may_change_the_case_of_its_own_name(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    assert call("PATCH", one(reader), {"name": "READER"}, key=manager).body["name"] == "READER"


def test_a_revoked_key_stays_as_it_is(
    call: ApiClient, manager: Issued, reader: Issued, as_admin: Actor
) -> None:
    services.revoke_api_key(reader.key, actor=as_admin)

    answer = call("PATCH", one(reader), {"enabled": True}, key=manager)

    assert (answer.status, answer.error["code"]) == (409, "key_revoked")


def test_a_scope_that_one_lacks_cannot_be_added(
    call: ApiClient, make_key: MakeKey, reader: Issued
) -> None:
    lesser = make_key(scopes=["api-keys:manage", "search:read"])

    answer = call("PATCH", one(reader), {"scopes": ["search:read", "events:read"]}, key=lesser)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")
    assert answer.fields == ["scopes"]
    # It has the scope that opens the address: naming that as needed would mislead.
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api", error="insufficient_scope"'


def test_a_key_cannot_widen_itself(call: ApiClient, make_key: MakeKey) -> None:
    lesser = make_key(scopes=["api-keys:manage"])

    assert call("PATCH", one(lesser), {"scopes": ALL_SCOPES}, key=lesser).status == 403
    assert call("GET", CURRENT, key=lesser).body["scopes"] == ["api-keys:manage"]


@pytest.mark.parametrize("end", [None, "{later}"])
def test_a_key_cannot_prolong_its_own_life(
    call: ApiClient, make_key: MakeKey, end: str | None
) -> None:
    mortal = make_key(scopes=ALL_SCOPES, expires_at=datetime.now(UTC) + timedelta(days=2))
    later = f"{datetime.now(UTC) + timedelta(days=3):%FT%TZ}"

    body = {"expires_at": end and end.format(later=later)}
    answer = call("PATCH", one(mortal), body, key=mortal)

    assert (answer.status, answer.error["code"]) == (403, "exceeds_own_expiry")


def test_a_lesser_key_cannot_enable_a_stronger_one(
    call: ApiClient, make_key: MakeKey, manager: Issued, as_admin: Actor
) -> None:
    lesser = make_key(scopes=["api-keys:manage"])
    services.set_api_key_enabled(manager.key, enabled=False, actor=as_admin)

    assert call("PATCH", one(manager), {"enabled": True}, key=lesser).status == 403


def test_a_key_that_does_not_exist_is_404(call: ApiClient, manager: Issued) -> None:
    assert call("PATCH", f"{KEYS}/{never('key')}", {}, key=manager).status == 404


def test_changing_without_a_key_is_401(call: ApiClient, reader: Issued) -> None:
    assert call("PATCH", one(reader), CHANGES).status == 401
