"""The whole source document signa-get-api-key.txt."""

from datetime import UTC, datetime, timedelta

import pytest

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from tests.support.api import CURRENT, KEYS, REQUEST_ID, UTC_Z, MakeKey, never, one
from tests.support.client import Answer, ApiClient

EXAMPLE = {
    "name": "Production server",
    "scopes": ["trademarks:read", "search:read", "portfolios:manage"],
    "metadata": {"environment": "production"},
}
DOCUMENTED = [
    "id", "object", "name", "key_prefix", "key_type", "scopes", "rate_limit_tier", "metadata",
    "last_used_at", "expires_at", "created_at", "revoked_at", "livemode", "request_id",
]  # fmt: skip


@pytest.fixture
def issued(make_key: MakeKey) -> Issued:
    return make_key(**EXAMPLE)


@pytest.fixture
def read(call: ApiClient, manager: Issued, issued: Issued) -> Answer:
    call("GET", CURRENT, key=issued)
    return call("GET", one(issued), key=manager)


def test_the_answer_has_every_documented_field(read: Answer) -> None:
    assert read.status == 200
    assert set(read.body) >= set(DOCUMENTED)


def test_the_raw_key_is_never_included(read: Answer, issued: Issued) -> None:
    assert "key" not in read.body
    assert issued.secret[13:].encode() not in read.raw


def test_the_reading_answer_calls_the_prefix_key_prefix(read: Answer, issued: Issued) -> None:
    assert read.body["key_prefix"] == issued.secret[: len("sig_live_a1b2")]
    assert "prefix" not in read.body


def test_the_id_is_the_one_asked_for(read: Answer, issued: Issued) -> None:
    assert read.body["id"] == issued.key.public_id


def test_the_object_is_always_api_key(read: Answer) -> None:
    assert read.body["object"] == "api_key"


def test_the_name_is_readable(read: Answer) -> None:
    assert read.body["name"] == "Production server"


def test_the_key_type_is_live(read: Answer) -> None:
    assert read.body["key_type"] == "live"


def test_the_scopes_are_those_granted(read: Answer) -> None:
    assert read.body["scopes"] == EXAMPLE["scopes"]


def test_the_rate_limit_tier_is_the_organizations(read: Answer) -> None:
    assert read.body["rate_limit_tier"] == "standard"


def test_the_metadata_is_an_object(read: Answer) -> None:
    assert read.body["metadata"] == {"environment": "production"}


def test_last_used_at_is_the_last_successful_use(read: Answer) -> None:
    assert UTC_Z.fullmatch(read.body["last_used_at"])
    used = datetime.fromisoformat(read.body["last_used_at"])
    assert timedelta(0) <= datetime.now(UTC) - used < timedelta(minutes=1)


def test_last_used_at_is_null_before_the_first_use(
    call: ApiClient, manager: Issued, issued: Issued
) -> None:
    assert call("GET", one(issued), key=manager).body["last_used_at"] is None


def test_expires_at_is_null_when_not_set(read: Answer) -> None:
    assert read.body["expires_at"] is None


def test_expires_at_is_in_utc_when_set(call: ApiClient, manager: Issued, make_key: MakeKey) -> None:
    end = datetime.now(UTC) + timedelta(days=9)
    issued = make_key(expires_at=end)

    assert call("GET", one(issued), key=manager).body["expires_at"] == f"{end:%FT%TZ}"


def test_created_at_is_in_utc(read: Answer, issued: Issued) -> None:
    assert read.body["created_at"] == f"{issued.key.created_at:%FT%TZ}"


def test_revoked_at_is_null_while_the_key_lives(read: Answer) -> None:
    assert read.body["revoked_at"] is None


def test_revoked_at_is_in_utc_once_revoked(
    call: ApiClient, manager: Issued, issued: Issued, as_admin: Actor
) -> None:
    services.revoke_api_key(issued.key, actor=as_admin)

    answer = call("GET", one(issued), key=manager)

    assert answer.status == 200
    assert UTC_Z.fullmatch(answer.body["revoked_at"])


def test_livemode_is_true_for_a_live_key(read: Answer) -> None:
    assert read.body["livemode"] is True


def test_a_test_key_has_its_own_type_and_no_livemode(
    call: ApiClient, manager: Issued, make_key: MakeKey
) -> None:
    body = call("GET", one(make_key(environment="test")), key=manager).body

    assert (body["key_type"], body["livemode"]) == ("test", False)


def test_the_request_id_is_in_body_and_header(read: Answer) -> None:
    assert REQUEST_ID.fullmatch(read.body["request_id"])
    assert read.headers["X-Request-Id"] == read.body["request_id"]


def test_a_key_made_by_post_reads_back_with_every_documented_field(
    call: ApiClient, manager: Issued
) -> None:
    made = call("POST", KEYS, EXAMPLE, key=manager).body
    read = call("GET", f"{KEYS}/{made['id']}", key=manager).body

    shared = set(made) - {"key", "prefix", "request_id"}
    assert {name: read[name] for name in shared} == {name: made[name] for name in shared}
    assert {name for name in DOCUMENTED if name not in read} == set()
    assert read["key_prefix"] == made["prefix"] == made["key_prefix"]


# --- Errors ---


@pytest.mark.parametrize("id", ["nonsense", "key_abc123", "key_", "org_" + "0" * 22, "1"])
def test_400_for_an_invalid_key_id(call: ApiClient, manager: Issued, id: str) -> None:
    answer = call("GET", f"{KEYS}/{id}", key=manager)

    assert (answer.status, answer.error["type"]) == (400, "validation_error")
    assert answer.fields == ["id"]


@pytest.mark.parametrize("key", [None, "sig_live_xxxxxxxxxxxx"], ids=["missing", "invalid"])
def test_401_for_a_missing_or_invalid_key(call: ApiClient, issued: Issued, key: str | None) -> None:
    answer = call("GET", one(issued), key=key)

    assert (answer.status, answer.error["type"]) == (401, "unauthorized")


def test_403_for_a_key_without_the_scope(call: ApiClient, issued: Issued, reader: Issued) -> None:
    answer = call("GET", one(issued), key=reader)

    assert (answer.status, answer.error["type"]) == (403, "forbidden")
    assert "api-keys:manage" in answer.error["message"]


def test_404_for_a_key_that_does_not_exist(call: ApiClient, manager: Issued) -> None:
    answer = call("GET", f"{KEYS}/{never('key')}", key=manager)

    assert (answer.status, answer.error["type"]) == (404, "not_found")
    assert answer.error["code"] == "not_found"


def test_404_for_a_key_of_another_organization(
    call: ApiClient, foreigner: Issued, issued: Issued
) -> None:
    answer = call("GET", one(issued), key=foreigner)

    assert (answer.status, answer.error["type"]) == (404, "not_found")
