"""GET /v1/api-keys/{id} and GET /v1/api-keys/current, beyond the source document."""

import pytest

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.factories import IssuedKeyFactory, ServiceAccountFactory
from tests.support.api import CURRENT, KEYS, MakeKey, one
from tests.support.client import ApiClient

OBJECT = [
    "id", "object", "name", "description", "key_prefix", "key_type", "status", "enabled", "scopes",
    "rate_limit_tier", "metadata", "service_account", "created_by", "last_used_at", "last_used_ip",
    "last_used_user_agent", "expires_at", "created_at", "updated_at", "revoked_at", "livemode",
]  # fmt: skip


def test_the_object_has_the_fields_of_the_contract_and_no_others(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    assert list(call("GET", one(reader), key=manager).body) == [*OBJECT, "request_id"]


def test_a_key_is_found_by_its_uuid_too(call: ApiClient, manager: Issued, reader: Issued) -> None:
    answer = call("GET", f"{KEYS}/{reader.key.id}", key=manager)

    assert (answer.status, answer.body["id"]) == (200, reader.key.public_id)


def test_a_read_answer_is_json_that_nobody_may_store(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    headers = call("GET", one(reader), key=manager).headers

    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Vary" not in headers


def test_the_last_use_is_told_with_its_address_and_user_agent(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    call("GET", CURRENT, key=reader, headers={"User-Agent": "nightly-job/1.0"})

    body = call("GET", one(reader), key=manager).body

    assert (body["last_used_ip"], body["last_used_user_agent"]) == ("127.0.0.1", "nightly-job/1.0")


def test_created_by_is_the_person_where_a_person_made_it(
    call: ApiClient, manager: Issued, acme: Organization, admin: User, as_admin: object
) -> None:
    issued = IssuedKeyFactory.create(organization=acme, actor=as_admin)

    assert call("GET", one(issued), key=manager).body["created_by"] == admin.public_id


def test_created_by_is_null_where_the_system_made_it(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    assert call("GET", one(reader), key=manager).body["created_by"] is None


def test_the_service_account_is_told_by_its_id(
    call: ApiClient, manager: Issued, acme: Organization, make_key: MakeKey
) -> None:
    account = ServiceAccountFactory.create(organization=acme)
    issued = make_key(service_account=account)

    assert call("GET", one(issued), key=manager).body["service_account"] == account.public_id


def test_a_live_key_sees_test_keys_too(call: ApiClient, manager: Issued, sandbox: Issued) -> None:
    assert call("GET", one(sandbox), key=manager).status == 200


# --- current ---


@pytest.mark.parametrize("scope", ["search:read", "events:read", "api-keys:manage"])
def test_any_usable_key_may_ask_for_itself(call: ApiClient, make_key: MakeKey, scope: str) -> None:
    issued = make_key(scopes=[scope])

    assert call("GET", CURRENT, key=issued).body["id"] == issued.key.public_id


def test_current_is_the_object_and_its_organization(
    call: ApiClient, reader: Issued, acme: Organization
) -> None:
    body = call("GET", CURRENT, key=reader).body

    assert list(body) == [*OBJECT, "organization", "request_id"]
    assert body["organization"] == {"id": acme.public_id, "name": "Acme"}


def test_current_tells_two_keys_apart(call: ApiClient, reader: Issued, foreigner: Issued) -> None:
    assert call("GET", CURRENT, key=reader).body["organization"]["name"] == "Acme"
    assert call("GET", CURRENT, key=foreigner).body["organization"]["name"] == "Globex"


def test_current_without_a_key_is_401(call: ApiClient, db: None) -> None:
    answer = call("GET", CURRENT)

    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "POST"])
def test_current_can_only_be_read(call: ApiClient, manager: Issued, method: str) -> None:
    assert call(method, CURRENT, {}, key=manager).status == 405
