"""The whole source document signa-create-api-key.txt."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apikeys.services import Issued
from tests.conftest import ALL_SCOPES
from tests.support.api import CURRENT, KEYS, REQUEST_ID, UTC_Z
from tests.support.client import Answer, ApiClient

EXAMPLE: dict[str, Any] = {
    "name": "Analytics Dashboard",
    "scopes": ["trademarks:read", "search:read", "events:read"],
}
DOCUMENTED = {
    "id", "object", "name", "key", "prefix", "scopes", "created_at", "expires_at", "livemode",
    "request_id",
}  # fmt: skip


@pytest.fixture
def created(call: ApiClient, manager: Issued) -> Answer:
    return call("POST", KEYS, EXAMPLE, key=manager)


# --- Request body ---


def test_name_is_required(call: ApiClient, manager: Issued) -> None:
    answer = call("POST", KEYS, {"scopes": ["search:read"]}, key=manager)

    assert answer.status == 400
    assert answer.error["type"] == "validation_error"
    assert answer.error["details"] == [
        {"field": "name", "code": "required", "message": "This field is required."}
    ]


def test_scopes_are_required(call: ApiClient, manager: Issued) -> None:
    answer = call("POST", KEYS, {"name": "Analytics"}, key=manager)

    assert answer.status == 400
    assert answer.fields == ["scopes"]
    assert answer.error["code"] == "required"


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_each_available_scope_can_be_given(call: ApiClient, manager: Issued, scope: str) -> None:
    answer = call("POST", KEYS, {"name": "One scope", "scopes": [scope]}, key=manager)

    assert answer.status == 201
    assert answer.body["scopes"] == [scope]


def test_omitting_expires_at_makes_a_key_that_does_not_expire(created: Answer) -> None:
    assert created.body["expires_at"] is None


def test_expires_at_takes_an_iso_timestamp(call: ApiClient, manager: Issued) -> None:
    end = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)

    answer = call("POST", KEYS, {**EXAMPLE, "expires_at": end.isoformat()}, key=manager)

    assert answer.status == 201
    assert answer.body["expires_at"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"


# --- Response ---


def test_a_created_key_is_answered_with_201(created: Answer) -> None:
    assert created.status == 201


def test_the_answer_has_every_documented_field(created: Answer) -> None:
    assert set(created.body) >= DOCUMENTED


def test_the_answer_calls_the_prefix_prefix_as_the_document_does(created: Answer) -> None:
    assert created.body["prefix"] == created.body["key"][: len("sig_live_a1b2")]


def test_the_id_starts_with_key(created: Answer) -> None:
    assert re.fullmatch(r"key_[0-9A-Za-z]{22}", created.body["id"])


def test_the_object_is_api_key(created: Answer) -> None:
    assert created.body["object"] == "api_key"


def test_the_name_is_the_one_given(created: Answer) -> None:
    assert created.body["name"] == EXAMPLE["name"]


def test_the_key_is_as_long_as_the_example(created: Answer) -> None:
    example = "sig_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0"

    assert re.fullmatch(r"sig_live_[0-9A-Za-z]{40}", created.body["key"])
    assert len(created.body["key"]) == len(example)


def test_the_scopes_are_those_given_in_their_order(created: Answer) -> None:
    assert created.body["scopes"] == EXAMPLE["scopes"]


def test_created_at_is_the_present_in_utc(created: Answer) -> None:
    assert UTC_Z.fullmatch(created.body["created_at"])
    age = datetime.now(UTC) - datetime.fromisoformat(created.body["created_at"])
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_livemode_is_true_for_a_live_key(created: Answer) -> None:
    assert created.body["livemode"] is True


def test_the_request_id_is_in_body_and_header(created: Answer) -> None:
    assert REQUEST_ID.fullmatch(created.body["request_id"])
    assert created.headers["X-Request-Id"] == created.body["request_id"]


def test_two_requests_have_two_ids(call: ApiClient, manager: Issued) -> None:
    first, second = (call("GET", KEYS, key=manager).body["request_id"] for _ in range(2))

    assert first != second


# --- Overview: "returned only once; it cannot be retrieved again" ---


def test_the_new_key_opens_the_api(call: ApiClient, created: Answer) -> None:
    assert call("GET", CURRENT, key=created.body["key"]).body["id"] == created.body["id"]


@pytest.mark.parametrize("address", [KEYS, KEYS + "/{id}", CURRENT])
def test_the_secret_is_in_no_later_answer(
    call: ApiClient, manager: Issued, created: Answer, address: str
) -> None:
    secret = created.body["key"]
    reader = secret if address == CURRENT else manager

    later = call("GET", address.format(id=created.body["id"]), key=reader)

    assert later.status == 200
    assert created.body["prefix"].encode() in later.raw
    assert secret[13:].encode() not in later.raw


# --- Errors ---


def test_400_for_an_invalid_scope_names_its_place(call: ApiClient, manager: Issued) -> None:
    answer = call("POST", KEYS, {**EXAMPLE, "scopes": ["search:read", "x"]}, key=manager)

    assert (answer.status, answer.error["type"]) == (400, "validation_error")
    assert answer.fields == ["scopes.1"]
    assert "trademarks:read" in answer.error["message"]


@pytest.mark.parametrize("key", [None, "sig_live_xxxxxxxxxxxx"], ids=["missing", "invalid"])
def test_401_for_a_missing_or_invalid_key(call: ApiClient, db: None, key: str | None) -> None:
    answer = call("POST", KEYS, EXAMPLE, key=key)

    assert (answer.status, answer.error["type"]) == (401, "unauthorized")
    assert answer.error["code"] == "invalid_api_key"


def test_403_for_insufficient_permissions(call: ApiClient, reader: Issued) -> None:
    answer = call("POST", KEYS, EXAMPLE, key=reader)

    assert (answer.status, answer.error["type"]) == (403, "forbidden")
    assert answer.error["code"] == "insufficient_scope"
    assert "api-keys:manage" in answer.error["message"]


def test_409_for_a_name_that_exists(call: ApiClient, manager: Issued, created: Answer) -> None:
    answer = call("POST", KEYS, {**EXAMPLE, "name": " analytics DASHBOARD"}, key=manager)

    assert (answer.status, answer.error["type"]) == (409, "conflict")
    assert answer.error["code"] == "name_taken"


def test_429_for_too_many_requests(
    call: ApiClient, manager: Issued, set_limit: Callable[[int], None]
) -> None:
    set_limit(1)
    assert call("POST", KEYS, EXAMPLE, key=manager).status == 201

    answer = call("POST", KEYS, {**EXAMPLE, "name": "Another"}, key=manager)

    assert (answer.status, answer.error["type"]) == (429, "rate_limited")
    assert answer.error["code"] == "rate_limited"
    assert answer.error["message"].endswith(f"again in {answer.headers['Retry-After']} seconds.")
    assert answer.error["details"] == []
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
