"""POST /v1/api-keys/revoke revokes all of several keys or none."""

from collections.abc import Callable
from typing import Any

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import AuditEvent
from tests.api.test_queries import (
    BEGIN,
    BODY,
    EVENT,
    FIND,
    LOCK,
    ORGANIZATION,
    SAVEPOINTS,
    VERIFY,
    cost,
)
from tests.support.api import CURRENT, KEYS, REQUEST_ID, MakeKey, never, one, stored
from tests.support.client import Answer, ApiClient

REVOKE = f"{KEYS}/revoke"
Revoke = Callable[..., Answer]
Events = Callable[..., list[AuditEvent]]


@pytest.fixture
def revoke(call: ApiClient, manager: Issued) -> Revoke:
    """Asks for it with the manager, or with another key."""

    def send(ids: Any, *, key: Issued = manager, **more: Any) -> Answer:
        return call("POST", REVOKE, {"ids": ids, **more}, key=key)

    return send


@pytest.fixture
def child(call: ApiClient, manager: Issued) -> dict[str, Any]:
    """A key that the manager has created over REST, as the answer shows it."""
    body = {"name": "Child", "scopes": ["search:read", "api-keys:manage"]}
    made: dict[str, Any] = call("POST", KEYS, body, key=manager).body
    return made


def test_the_answer_is_the_revoked_objects_in_their_order(
    call: ApiClient, revoke: Revoke, make_key: MakeKey, manager: Issued, events: Events
) -> None:
    keys = [make_key(name=f"Key {number}") for number in range(3)]

    answer = revoke([keys[2].key.public_id, str(keys[0].key.pk)])

    assert answer.status == 200
    assert set(answer.body) == {"object", "data", "request_id"}
    assert answer.body["object"] == "list"
    assert REQUEST_ID.fullmatch(answer.body["request_id"])
    assert [key["name"] for key in answer.body["data"]] == ["Key 2", "Key 0"]
    for shown, issued in zip(answer.body["data"], (keys[2], keys[0]), strict=True):
        read = call("GET", one(issued), key=manager).body
        assert {**shown, "request_id": ""} == {**read, "request_id": ""}
        assert shown["status"] == "revoked"
    assert [call("GET", CURRENT, key=key).status for key in keys] == [401, 200, 401]
    assert [event.target_label for event in events("api_key.revoked")] == ["Key 2", "Key 0"]


def test_again_is_200_and_changes_nothing(revoke: Revoke, reader: Issued, events: Events) -> None:
    first, second = revoke([reader.key.public_id]), revoke([reader.key.public_id])

    assert (second.status, second.body["data"]) == (200, first.body["data"])
    assert len(events("api_key.revoked")) == 1


def test_an_id_in_either_spelling_is_taken_once(revoke: Revoke, reader: Issued) -> None:
    answer = revoke([reader.key.public_id, str(reader.key.pk), reader.key.public_id])

    assert [key["id"] for key in answer.body["data"]] == [reader.key.public_id]


def test_a_key_revokes_itself_with_others(
    call: ApiClient, revoke: Revoke, manager: Issued, reader: Issued
) -> None:
    answer = revoke([manager.key.public_id, reader.key.public_id])

    assert answer.status == 200
    assert call("GET", CURRENT, key=manager).error["code"] == "key_revoked"


def test_a_cascade_is_asked_for(
    call: ApiClient, revoke: Revoke, manager: Issued, child: dict[str, Any]
) -> None:
    body = {"name": "Grandchild", "scopes": ["search:read"]}
    grandchild = call("POST", KEYS, body, key=child["key"]).body["key"]

    revoke([child["id"]], cascade=False)
    spared = call("GET", CURRENT, key=grandchild).status
    answer = revoke([child["id"]], cascade=True)

    assert spared == 200
    assert [key["name"] for key in answer.body["data"]] == ["Child", "Grandchild"]
    assert call("GET", CURRENT, key=grandchild).status == 401
    assert call("GET", CURRENT, key=manager).status == 200


IMPOSSIBLE = ["", "key_", "reader", "org_0000000000000000000000", "\x00", "\ud800", "x" * 5_000]


def test_ids_without_a_key_are_named_and_nothing_is_revoked(
    call: ApiClient, revoke: Revoke, reader: Issued, foreigner: Issued, manager: Issued
) -> None:
    """Absent, malformed and another organization's are not told apart."""
    call("GET", CURRENT, key=manager)
    good, before = reader.key.public_id, stored()
    for other in (foreigner.key.public_id, str(foreigner.key.pk), never("key"), *IMPOSSIBLE):
        answer = revoke([good, other, good, other], cascade=True)

        assert (answer.status, answer.error["code"]) == (404, "not_found")
        assert answer.error["details"] == [
            {"field": f"ids.{place}", "code": "not_found", "message": "No such API key."}
            for place in (1, 3)
        ]
    assert stored() == before


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        ([], "ids"),
        (None, "ids"),
        ("key_0000000000000000000000", "ids"),
        ({"0": "x"}, "ids"),
        (["key_0000000000000000000000"] * 101, "ids"),
        ([5], "ids.0"),
        (["x", None], "ids.1"),
        (["x", ["y"]], "ids.1"),
    ],
)
def test_a_list_that_cannot_be_one_is_named(revoke: Revoke, ids: Any, field: str) -> None:
    answer = revoke(ids)

    assert answer.status == 400
    assert answer.fields == [field]


def test_ids_have_to_be_sent(call: ApiClient, manager: Issued) -> None:
    answer = call("POST", REVOKE, {"cascade": True}, key=manager)

    assert (answer.status, answer.error["code"], answer.fields) == (400, "required", ["ids"])


@pytest.mark.parametrize("more", [{"cascade": "yes"}, {"cascade": None}, {"reason": "x"}])
def test_other_fields_are_refused_by_name(
    revoke: Revoke, reader: Issued, more: dict[str, Any]
) -> None:
    answer = revoke([reader.key.public_id], **more)

    assert (answer.status, answer.fields) == (400, list(more))
    assert ApiKey.objects.get(pk=reader.key.pk).revoked_at is None


def test_a_hundred_keys_are_revoked(revoke: Revoke, make_key: MakeKey) -> None:
    keys = [make_key().key.public_id for _ in range(100)]

    answer = revoke(keys)

    assert [key["id"] for key in answer.body["data"]] == keys
    assert {key["status"] for key in answer.body["data"]} == {"revoked"}


def test_a_test_key_revokes_test_keys_only(
    revoke: Revoke, make_key: MakeKey, tester: Issued, reader: Issued
) -> None:
    sandboxed = make_key(environment="test").key.public_id

    mixed = revoke([sandboxed, reader.key.public_id], key=tester)
    alone = revoke([sandboxed], key=tester)

    assert (mixed.status, mixed.fields) == (404, ["ids.1"])
    assert alone.status == 200


def test_a_key_without_the_scope_revokes_nothing(revoke: Revoke, reader: Issued) -> None:
    answer = revoke([reader.key.public_id], key=reader)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("base", ["/envelope/v1/api-keys", "/api/v1/workspaces/{}/api-keys"])
def test_the_other_formats_do_not_have_it(
    call: ApiClient, manager: Issued, reader: Issued, base: str
) -> None:
    address = f"{base.format(manager.key.organization_id)}/revoke"

    answer = call("POST", address, {"ids": [reader.key.public_id]}, key=manager)

    assert answer.status in (404, 405)


@pytest.mark.parametrize("count", [1, 20, 100])
def test_queries_are_the_same_however_many_keys_there_are(
    call: ApiClient, manager: Issued, make_key: MakeKey, count: int
) -> None:
    call("GET", CURRENT, key=manager)
    body = {"ids": [make_key().key.public_id for _ in range(count)]}
    find, save = FIND - 1, 1  # none needs the secrets before they are shown
    statements = -(-count // 76)  # SQLite takes the events of so many keys in one

    spent = cost(call, "POST", REVOKE, body, manager)

    before = VERIFY + BODY + ORGANIZATION + find + SAVEPOINTS + BEGIN + LOCK + save
    assert before + EVENT + FIND <= spent <= before + EVENT * statements + FIND
