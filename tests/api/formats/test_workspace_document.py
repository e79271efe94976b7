"""The whole source document signalsmith-workspace-api-keys.txt."""

import re
from typing import Any
from uuid import UUID

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification.verify import verify
from organizations.models import Organization
from tests.support.api import UTC_Z
from tests.support.client import Answer, ApiClient

FIELDS = {
    "id", "workspace_id", "name", "key_prefix", "status", "created_by", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def keys(acme: Organization) -> str:
    return f"/api/v1/workspaces/{acme.pk}/api-keys"


@pytest.fixture
def headers(acme: Organization) -> dict[str, str]:
    """What each example of the document sends beside the token."""
    return {"X-Workspace-ID": str(acme.pk)}


@pytest.fixture
def created(call: ApiClient, keys: str, headers: dict[str, str], manager: Issued) -> Answer:
    return call("POST", keys, {"name": "CI/CD Pipeline Key"}, key=manager, headers=headers)


def _assert_types(seen: dict[str, Any], acme: Organization) -> None:
    for name in ("id", "workspace_id", "created_by"):
        assert str(UUID(seen[name])) == seen[name]
    assert seen["workspace_id"] == str(acme.pk)
    assert seen["status"] in ("active", "revoked")
    assert UTC_Z.fullmatch(seen["created_at"])
    assert UTC_Z.fullmatch(seen["updated_at"])


# --- List API Keys ---


def test_the_list_is_an_array_of_key_objects(
    call: ApiClient, keys: str, headers: dict[str, str], manager: Issued, created: Answer,
    acme: Organization,
) -> None:  # fmt: skip
    answer = call("GET", keys, key=manager, headers=headers)

    assert answer.status == 200
    assert isinstance(answer.body, list)
    newest = answer.body[0]
    assert set(newest) == FIELDS
    _assert_types(newest, acme)
    assert (newest["name"], newest["status"]) == ("CI/CD Pipeline Key", "active")
    assert newest["created_by"] == str(manager.key.pk)


def test_the_raw_key_is_never_returned_in_list_responses(
    call: ApiClient, keys: str, manager: Issued, created: Answer
) -> None:
    listed = call("GET", keys, key=manager)

    assert created.body["key"] not in listed.raw.decode()
    assert listed.body[0]["key_prefix"] == created.body["key"][: len(created.body["key_prefix"])]


def test_all_keys_are_listed_unless_they_were_deleted(
    call: ApiClient, keys: str, manager: Issued, created: Answer
) -> None:
    deleted = call("POST", keys, {"name": "Deleted"}, key=manager)
    call("DELETE", f"{keys}/{deleted.body['id']}", key=manager)
    call("PATCH", f"/v1/api-keys/{created.body['id']}", {"enabled": False}, key=manager)

    statuses = {item["name"]: item["status"] for item in call("GET", keys, key=manager).body}

    assert statuses == {"CI/CD Pipeline Key": "revoked", "Manager": "active"}


# --- Create API Key ---


def test_a_name_makes_a_key(created: Answer, acme: Organization) -> None:
    assert created.status == 201
    assert set(created.body) == FIELDS | {"key"}
    _assert_types(created.body, acme)
    assert created.body["name"] == "CI/CD Pipeline Key"
    assert re.fullmatch(r"sig_live_\w{40}", created.body["key"])
    assert verify(created.body["key"]).refusal is None


def test_it_can_do_all_that_its_maker_may_hand_out_but_managing_keys(created: Answer) -> None:
    assert ApiKey.objects.get(pk=created.body["id"]).scopes == [
        "trademarks:read",
        "search:read",
        "portfolios:manage",
        "events:read",
    ]


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": None}, {"name": 1}])
def test_the_name_is_required_and_a_string(
    call: ApiClient, keys: str, manager: Issued, body: dict[str, Any]
) -> None:
    answer = call("POST", keys, body, key=manager)

    assert answer.status == 400
    assert answer.body["error"].startswith("name: ")


# --- Revoke API Key ---


def test_revoking(
    call: ApiClient, keys: str, headers: dict[str, str], created: Answer, manager: Issued
) -> None:
    address = f"{keys}/{created.body['id']}"

    answer = call("DELETE", address, key=manager, headers=headers)

    assert (answer.status, answer.body) == (200, {"status": "revoked"})
    assert call("GET", "/v1/api-keys/current", key=created.body["key"]).status == 401
    assert call("DELETE", address, key=manager).body == {"status": "revoked"}


# --- API Key Object ---


def test_the_status_of_a_key_that_is_not_let_in_is_revoked(
    call: ApiClient, keys: str, manager: Issued, created: Answer
) -> None:
    call("PATCH", f"/v1/api-keys/{created.body['id']}", {"enabled": False}, key=manager)

    assert call("GET", keys, key=manager).body[0]["status"] == "revoked"
