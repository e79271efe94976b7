"""POST /v1/api-keys, beyond its source document."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apikeys.services import Issued
from organizations.models import AuditEvent, Organization
from tests.factories import ServiceAccountFactory
from tests.support.api import KEYS
from tests.support.client import ApiClient

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


@pytest.mark.parametrize(
    "part",
    [
        {"description": "x" * 500},
        {"description": ""},
        {"metadata": {f"{n:02}" * 20: "v" * 500 for n in range(50)}},
        {"metadata": {"a": "", "b": " kept \n as given "}},
        {"expires_at": None, "service_account": None},
    ],
)
def test_what_just_fits_is_taken_and_kept_exactly(
    call: ApiClient, manager: Issued, part: dict[str, object]
) -> None:
    body = call("POST", KEYS, {**BODY, **part}, key=manager).body

    assert {name: body[name] for name in part} == part


@pytest.mark.parametrize("ahead", [timedelta(seconds=63), timedelta(days=3652)])
def test_an_end_from_a_minute_to_ten_years_ahead_is_taken(
    call: ApiClient, manager: Issued, ahead: timedelta
) -> None:
    end = f"{datetime.now(UTC) + ahead:%FT%TZ}"

    assert call("POST", KEYS, {**BODY, "expires_at": end}, key=manager).status == 201
