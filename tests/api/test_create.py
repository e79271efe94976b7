"""POST /v1/api-keys beyond its source document."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import AuditEvent, Organization
from tests.client import ApiClient
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support_api import CURRENT, KEYS, MakeKey, never

BODY = {"name": "New", "scopes": ["search:read"]}


def test_every_field_that_can_be_given_comes_back(
    call: ApiClient, manager: Issued, acme: Organization
) -> None:
    account = ServiceAccountFactory.create(organization=acme)
    end = f"{datetime.now(UTC) + timedelta(days=1):%FT%TZ}"
    given = {
        **BODY,
        "description": "For the\nnightly job",
        "metadata": {"team": "search", "__proto__": "a name like any other"},
        "key_type": "test",
        "service_account": account.public_id,
        "expires_at": end,
    }

    body = call("POST", KEYS, given, key=manager).body

    assert {name: body[name] for name in given} == given


def test_the_rest_of_the_new_object_is_that_of_an_unused_active_key(
    call: ApiClient, manager: Issued
) -> None:
    body = call("POST", KEYS, BODY, key=manager).body

    rest = {
        "status": "active",
        "enabled": True,
        "description": "",
        "metadata": {},
        "service_account": None,
        "created_by": manager.key.public_id,
        "last_used_at": None,
        "last_used_ip": None,
        "last_used_user_agent": None,
        "revoked_at": None,
    }
    assert {name: body[name] for name in rest} == rest
    assert body["updated_at"] == body["created_at"]


def test_the_location_leads_to_the_key(call: ApiClient, manager: Issued) -> None:
    answer = call("POST", KEYS, BODY, key=manager)

    assert answer.headers["Location"] == f"{KEYS}/{answer.body['id']}"
    assert call("GET", answer.headers["Location"], key=manager).body["id"] == answer.body["id"]


def test_the_answer_with_the_secret_is_json_that_nobody_may_store(
    call: ApiClient, manager: Issued
) -> None:
    headers = call("POST", KEYS, BODY, key=manager).headers

    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert "ETag" not in headers


def test_the_name_is_trimmed_and_composed(call: ApiClient, manager: Issued) -> None:
    body = call("POST", KEYS, {**BODY, "name": "  Cafe\u0301 "}, key=manager).body

    assert body["name"] == "Caf\u00e9"


@pytest.mark.parametrize("name", ["a", "x" * 100, "鍵 🔑", "👩‍👩‍👧", "<script>", "=1+1"])
def test_unusual_names_are_kept_as_they_are(call: ApiClient, manager: Issued, name: str) -> None:
    assert call("POST", KEYS, {**BODY, "name": name}, key=manager).body["name"] == name


@pytest.mark.parametrize("end", ["2026-12-24T18:00:00+05:30", "2026-12-24t12:30:00.000z"])
def test_any_offset_is_understood_and_answered_in_utc(
    call: ApiClient, manager: Issued, end: str
) -> None:
    with time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC)):
        body = call("POST", KEYS, {**BODY, "expires_at": end}, key=manager).body

    assert body["expires_at"] == "2026-12-24T12:30:00Z"


def test_one_audit_event_names_the_key_that_acted_and_the_request(
    call: ApiClient, manager: Issued, events: Callable[..., list[AuditEvent]]
) -> None:
    before = len(events())
    answer = call("POST", KEYS, BODY, key=manager, headers={"User-Agent": "curl/8"})

    event = events()[-1]
    assert len(events()) == before + 1
    assert (event.event, event.actor_id) == ("api_key.created", manager.key.id)
    assert (event.request_id, event.user_agent) == (answer.body["request_id"], "curl/8")


def test_the_name_of_a_revoked_key_is_free_again(call: ApiClient, manager: Issued) -> None:
    first = call("POST", KEYS, BODY, key=manager).body
    assert call("POST", KEYS, BODY, key=manager).status == 409
    call("DELETE", f"{KEYS}/{first['id']}", key=manager)

    assert call("POST", KEYS, BODY, key=manager).status == 201


def test_the_name_of_another_organization_s_key_is_free(
    call: ApiClient, manager: Issued, foreigner: Issued
) -> None:
    call("POST", KEYS, BODY, key=foreigner)

    assert call("POST", KEYS, BODY, key=manager).status == 201


# --- No more authority than one's own ---


def test_a_key_cannot_hand_out_a_scope_that_it_lacks(call: ApiClient, make_key: MakeKey) -> None:
    lesser = make_key(scopes=["api-keys:manage", "search:read"])
    before = ApiKey.objects.count()

    answer = call("POST", KEYS, {"name": "More", "scopes": ALL_SCOPES}, key=lesser)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")
    assert answer.fields == ["scopes"]
    assert "trademarks:read, portfolios:manage, events:read" in answer.error["message"]
    assert ApiKey.objects.count() == before


@pytest.mark.parametrize("given", [{}, {"expires_at": None}, {"expires_at": "{later}"}])
def test_a_key_that_ends_cannot_make_one_that_outlives_it(
    call: ApiClient, make_key: MakeKey, given: dict[str, str | None]
) -> None:
    end = datetime.now(UTC) + timedelta(days=2)
    mortal = make_key(scopes=ALL_SCOPES, expires_at=end)
    later = f"{end + timedelta(seconds=2):%FT%TZ}"
    body = {**BODY, **{k: v and v.format(later=later) for k, v in given.items()}}

    answer = call("POST", KEYS, body, key=mortal)

    assert (answer.status, answer.error["code"]) == (403, "exceeds_own_expiry")
    assert answer.fields == ["expires_at"]
    assert f"{end:%FT%TZ}" in answer.error["message"]


def test_a_key_that_ends_can_make_one_that_ends_with_it(call: ApiClient, make_key: MakeKey) -> None:
    end = datetime.now(UTC) + timedelta(days=2)
    mortal = make_key(scopes=ALL_SCOPES, expires_at=end)

    assert call("POST", KEYS, {**BODY, "expires_at": f"{end:%FT%TZ}"}, key=mortal).status == 201


def test_a_test_key_makes_test_keys(call: ApiClient, sandbox: Issued) -> None:
    answer = call("POST", KEYS, BODY, key=sandbox)

    assert (answer.body["key_type"], answer.body["livemode"]) == ("test", False)
    assert answer.body["key"].startswith("sig_test_")
    assert call("GET", CURRENT, key=answer.body["key"]).status == 200


def test_a_test_key_cannot_make_a_live_one(call: ApiClient, sandbox: Issued) -> None:
    answer = call("POST", KEYS, {**BODY, "key_type": "live"}, key=sandbox)

    assert (answer.status, answer.error["code"]) == (403, "live_key_required")
    assert answer.fields == ["key_type"]


# --- Service accounts ---


def test_a_foreign_a_missing_and_a_disabled_service_account_get_one_answer(
    call: ApiClient, manager: Issued, acme: Organization, globex: Organization
) -> None:
    disabled = ServiceAccountFactory.create(organization=acme)
    organization_services.set_service_account_enabled(disabled, enabled=False, actor=SYSTEM)
    foreign = ServiceAccountFactory.create(organization=globex)
    texts = [disabled.public_id, foreign.public_id, never("sa"), "nonsense", ""]

    answers = [call("POST", KEYS, {**BODY, "service_account": text}, key=manager) for text in texts]

    assert {answer.status for answer in answers} == {400}
    assert {answer.error["message"] for answer in answers} == {
        "This is no enabled service account of the organization."
    }
    assert all(answer.fields == ["service_account"] for answer in answers)
