"""The whole source document envelope-create-api-key.txt."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification.verify import verify
from organizations.models import Organization, User
from tests.factories import ServiceAccountFactory
from tests.support.api import REQUEST_ID, UTC_Z, MakeKey
from tests.support.client import Answer, ApiClient

#: The document's address, behind the base that a client of the format sets as its host.
KEYS = "/envelope/v1/api-keys"
SIXTEEN = {
    "createdAt", "createdBy", "description", "expiresAt", "id", "key", "keyPrefix", "lastUsedAt",
    "lastUsedIp", "lastUsedUserAgent", "name", "organizationId", "revokedAt", "scope",
    "serviceAccountId", "userId",
}  # fmt: skip


@pytest.fixture
def created(call: ApiClient, manager: Issued) -> Answer:
    return call("POST", KEYS, {"name": "CI"}, key=manager)


# --- Request body: one of two, for oneself or for a service account ---


def test_the_name_is_all_that_is_required(created: Answer) -> None:
    assert created.status == 200
    assert created.body["data"]["name"] == "CI"


def test_without_a_name_nothing_is_made(call: ApiClient, manager: Issued) -> None:
    answer = call("POST", KEYS, {}, key=manager)

    assert answer.status == answer.body["code"] == 400
    assert answer.body["errors"] == [
        {"field": "name", "code": "required", "message": "This field is required."}
    ]


def test_every_field_that_can_be_given_comes_back(
    call: ApiClient, manager: Issued, acme: Organization
) -> None:
    account = ServiceAccountFactory.create(organization=acme)
    given = {
        "description": "Deploys",
        "expiresAt": f"{datetime.now(UTC) + timedelta(days=1):%FT%TZ}",
        "name": "CI",
        "scope": "read-write",
        "serviceAccountId": account.public_id,
    }

    data = call("POST", KEYS, given, key=manager).body["data"]

    assert {name: data[name] for name in given} == given
    assert data["userId"] is None


def test_for_oneself_it_is_on_the_authority_of_the_person_behind_the_key(
    call: ApiClient, admin: User, make_key: MakeKey, as_admin: Any
) -> None:
    mine = make_key(name="Mine", actor=as_admin, scopes=["search:read", "api-keys:manage"])

    data = call("POST", KEYS, {"name": "CI"}, key=mine).body["data"]

    assert data["userId"] == admin.public_id
    assert data["serviceAccountId"] is None
    assert data["createdBy"] == mine.key.public_id


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (None, ["trademarks:read", "search:read", "events:read"]),
        ("read", ["trademarks:read", "search:read", "events:read"]),
        ("read-write", ["trademarks:read", "search:read", "portfolios:manage", "events:read"]),
    ],
)
def test_scope(call: ApiClient, manager: Issued, scope: str | None, expected: list[str]) -> None:
    body = {"name": "CI"} if scope is None else {"name": "CI", "scope": scope}

    data = call("POST", KEYS, body, key=manager).body["data"]

    assert ApiKey.objects.get(name="CI").scopes == expected
    assert data["scope"] == (scope or "read")


@pytest.mark.parametrize("scope", ["", "write", "READ", None, ["read"], 1])
def test_no_other_scope_is_known(call: ApiClient, manager: Issued, scope: Any) -> None:
    answer = call("POST", KEYS, {"name": "CI", "scope": scope}, key=manager)

    assert answer.status == 400
    assert answer.refusal.fields == ("scope",)


def test_whoever_can_hand_out_nothing_to_read_is_told(call: ApiClient, make_key: MakeKey) -> None:
    keeper = make_key(name="Keeper", scopes=["portfolios:manage", "api-keys:manage"])

    answer = call("POST", KEYS, {"name": "CI"}, key=keeper)

    assert (answer.status, answer.refusal.fields) == (400, ("scope",))
    assert not ApiKey.objects.filter(name="CI").exists()


def test_a_narrowed_scope_is_changed_and_shown(call: ApiClient, manager: Issued) -> None:
    made = call("POST", KEYS, {"name": "CI", "scope": "read-write"}, key=manager).body["data"]

    data = call("PATCH", f"{KEYS}/{made['id']}", {"scope": "read"}, key=manager).body["data"]

    assert data["scope"] == "read"
    assert "portfolios:manage" not in ApiKey.objects.get(name="CI").scopes


# --- Response ---


def test_the_envelope(created: Answer) -> None:
    assert set(created.body) == {"code", "data", "message", "requestId"}
    assert created.body["code"] == 200
    assert created.body["message"] == "success"
    assert REQUEST_ID.fullmatch(created.body["requestId"])
    assert created.body["requestId"] == created.headers["X-Request-Id"]


def test_the_data_has_the_sixteen_fields_and_no_other(created: Answer) -> None:
    data = created.body["data"]
    empty = ("expiresAt", "lastUsedAt", "lastUsedIp", "lastUsedUserAgent", "revokedAt")

    assert set(data) == SIXTEEN
    assert [data[name] for name in (*empty, "serviceAccountId")] == [None] * 6
    texts = ("createdAt", "createdBy", "description", "id", "keyPrefix", "name", "organizationId")
    assert all(isinstance(data[name], str) for name in texts)
    assert UTC_Z.fullmatch(data["createdAt"])


def test_every_other_operation_shows_the_same_fields(
    call: ApiClient, manager: Issued, created: Answer
) -> None:
    data = created.body["data"]
    address = f"{KEYS}/{data['id']}"

    rotated = call("POST", f"{address}/rotate", {"gracePeriod": 60}, key=manager)
    listed = call("GET", KEYS, key=manager).body["data"]["items"]
    others = [
        call("GET", address, key=manager).body["data"],
        call("PATCH", address, {"description": "Deploys"}, key=manager).body["data"],
        call("GET", f"{KEYS}/current", key=data["key"]).body["data"],
        call("DELETE", address, key=manager).body["data"],
        *listed,
    ]

    assert set(rotated.body["data"]) == SIXTEEN
    assert [set(other) for other in others] == [SIXTEEN - {"key"}] * 6


def test_the_key_is_shown_once(call: ApiClient, manager: Issued, created: Answer) -> None:
    data = created.body["data"]

    again = call("GET", f"{KEYS}/{data['id']}", key=manager)

    assert verify(data["key"]).refusal is None
    assert data["key"].startswith(data["keyPrefix"])
    assert set(again.body["data"]) == SIXTEEN - {"key"}
    assert data["key"] not in again.raw.decode()


def test_what_happened_to_the_key_is_shown(
    call: ApiClient, manager: Issued, created: Answer
) -> None:
    data = created.body["data"]
    call("GET", f"{KEYS}/current", key=data["key"], headers={"User-Agent": "ci/1.0"})
    revoked = call("DELETE", f"{KEYS}/{data['id']}", key=manager).body["data"]

    assert UTC_Z.fullmatch(revoked["lastUsedAt"])
    assert (revoked["lastUsedIp"], revoked["lastUsedUserAgent"]) == ("127.0.0.1", "ci/1.0")
    assert UTC_Z.fullmatch(revoked["revokedAt"])


# --- 400, and the examples, which send an empty object ---


def test_the_examples_of_the_document_are_answered_in_its_shape(
    call: ApiClient, manager: Issued
) -> None:
    answer = call("POST", KEYS, b"{}", key=manager)

    assert answer.status == 400
    assert set(answer.body) == {"code", "data", "message", "errors", "docUrl", "requestId"}
    assert answer.body["message"] == "This field is required."
