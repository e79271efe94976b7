"""POST /v1/api-keys/{id}/rotate."""

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
from tests.support.api import CURRENT, KEYS, UTC_Z, MakeKey, never, one
from tests.support.client import Answer, ApiClient

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)


def rotate(call: ApiClient, issued: Issued, key: Issued, body: Any = None) -> Answer:
    return call("POST", f"{one(issued)}/rotate", body, key=key)


def test_the_answer_is_the_same_key_with_a_new_secret(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    before = call("GET", one(reader), key=manager).body
    body = rotate(call, reader, manager).body

    new = {"key", "prefix", "previous_secret_expires_at"}
    assert set(body) - set(before) == new
    assert body["key"] != reader.secret
    assert body["prefix"] == body["key_prefix"] == body["key"][:13]
    same = set(before) - {"key_prefix", "updated_at", "request_id"}
    assert {name: body[name] for name in same} == {name: before[name] for name in same}


def test_it_is_200_and_nobody_may_store_it(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    answer = rotate(call, reader, manager)

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert UTC_Z.fullmatch(answer.body["previous_secret_expires_at"])


def test_both_secrets_work_while_they_overlap(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    new = rotate(call, reader, manager).body["key"]

    assert [call("GET", CURRENT, key=key).status for key in (reader.secret, new)] == [200, 200]


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (None, 86400),
        ({}, 86400),
        ({"grace_period": 0}, 0),
        ({"grace_period": 604800}, 604800),
        # JSON Schema's integers include those with a fraction of zero.
        ({"grace_period": 3600.0}, 3600),
        (b'{"grace_period": 3.6e3}', 3600),
        (b'{"grace_period": -0.0}', 0),
    ],
)
def test_the_older_secret_ends_when_the_grace_period_does(
    call: ApiClient, manager: Issued, reader: Issued, body: Any, seconds: int
) -> None:
    with time_machine.travel(NOW, tick=False):
        answer = rotate(call, reader, manager, body)
    end = NOW + timedelta(seconds=seconds)

    assert answer.body["previous_secret_expires_at"] == f"{end:%FT%TZ}"
    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        assert call("GET", CURRENT, key=reader).status == 200
    with time_machine.travel(end, tick=False):
        assert call("GET", CURRENT, key=reader).error["code"] == "key_rotated"
        assert call("GET", CURRENT, key=answer.body["key"]).status == 200


BAD_PERIODS = [-1, -1.0, 604801, 604801.0, 10**12, 10.0**12, 1.5, 3600.5, "60", True, None, [60]]


@pytest.mark.parametrize("value", BAD_PERIODS)
def test_a_grace_period_out_of_bounds_is_400_and_rotates_nothing(
    call: ApiClient, manager: Issued, reader: Issued, value: object
) -> None:
    answer = rotate(call, reader, manager, {"grace_period": value})

    assert (answer.status, answer.fields) == (400, ["grace_period"])
    assert call("GET", one(reader), key=manager).body["key_prefix"] == reader.secret[:13]


def test_a_grace_period_beyond_all_numbers_is_400(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    answer = rotate(call, reader, manager, b'{"grace_period": 1e400}')

    assert (answer.status, answer.fields) == (400, ["grace_period"])


@pytest.mark.parametrize("value", ["true", 1, None])
def test_force_is_true_or_false(
    call: ApiClient, manager: Issued, reader: Issued, value: object
) -> None:
    answer = rotate(call, reader, manager, {"force": value})

    assert (answer.status, answer.fields) == (400, ["force"])


def test_a_second_rotation_while_the_secrets_overlap_is_409(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    end = rotate(call, reader, manager).body["previous_secret_expires_at"]
    answer = rotate(call, reader, manager)

    assert (answer.status, answer.error["code"]) == (409, "rotation_in_progress")
    assert end in answer.error["message"]
    assert "force" in answer.error["message"]


def test_force_ends_the_oldest_secret_at_once(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    second = rotate(call, reader, manager).body["key"]
    third = rotate(call, reader, manager, {"force": True}).body["key"]

    statuses = [call("GET", CURRENT, key=key).status for key in (reader.secret, second, third)]
    assert statuses == [401, 200, 200]


def test_after_the_overlap_it_may_be_rotated_again(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    rotate(call, reader, manager)

    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, seconds=1)):
        assert rotate(call, reader, manager).status == 200


def test_a_key_may_rotate_itself(call: ApiClient, manager: Issued) -> None:
    new = rotate(call, manager, manager, {"grace_period": 0}).body["key"]

    assert call("GET", CURRENT, key=manager).status == 401
    assert call("GET", CURRENT, key=new).status == 200


def test_a_revoked_key_cannot_be_rotated(
    call: ApiClient, manager: Issued, reader: Issued, as_admin: Actor
) -> None:
    services.revoke_api_key(reader.key, actor=as_admin)

    answer = rotate(call, reader, manager, {"force": True})

    assert (answer.status, answer.error["code"]) == (409, "key_revoked")


def test_an_expired_key_cannot_be_rotated(
    call: ApiClient, manager: Issued, make_key: MakeKey
) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    issued = make_key(expires_at=end)

    with time_machine.travel(end):
        answer = rotate(call, issued, manager)

    assert (answer.status, answer.error["code"]) == (409, "key_expired")


def test_a_lesser_key_cannot_learn_the_secret_of_a_stronger_one(
    call: ApiClient, make_key: MakeKey, manager: Issued
) -> None:
    answer = rotate(call, manager, make_key(scopes=["api-keys:manage"]))

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")


def test_a_key_that_ends_cannot_learn_the_secret_of_one_that_does_not(
    call: ApiClient, make_key: MakeKey, manager: Issued
) -> None:
    mortal = make_key(scopes=ALL_SCOPES, expires_at=datetime.now(UTC) + timedelta(days=1))

    assert rotate(call, manager, mortal).error["code"] == "exceeds_own_expiry"


def test_the_event_tells_the_new_prefix(
    call: ApiClient,
    manager: Issued,
    reader: Issued,
    events: Callable[..., list[AuditEvent]],
) -> None:
    body = rotate(call, reader, manager).body

    event = events("api_key.rotated")[0]
    assert event.details["prefix"] == body["prefix"]
    assert (event.request_id, event.target_id) == (body["request_id"], reader.key.id)


def test_a_key_that_does_not_exist_is_404(call: ApiClient, manager: Issued) -> None:
    assert call("POST", f"{KEYS}/{never('key')}/rotate", key=manager).status == 404


def test_a_key_without_the_scope_may_not_rotate(call: ApiClient, reader: Issued) -> None:
    assert rotate(call, reader, reader).status == 403


def test_rotating_without_a_key_is_401(call: ApiClient, reader: Issued) -> None:
    assert call("POST", f"{one(reader)}/rotate").status == 401
