"""Keys that are no longer valid, and the errors that their holders get."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from organizations import services as organization_services
from organizations.models import AuditEvent, Organization, ServiceAccount
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.api import CURRENT, MakeKey, templates
from tests.support.client import Answer, ApiClient

INVALID_TOKEN = 'Bearer realm="api", error="invalid_token"'
END = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def account(acme: Organization) -> ServiceAccount:
    made: ServiceAccount = ServiceAccountFactory.create(organization=acme)
    return made


def ask(call: ApiClient, key: Issued) -> Answer:
    return call("GET", CURRENT, key=key)


def assert_unauthorized(answer: Answer, code: str, message: str) -> None:
    assert (answer.status, answer.error["type"]) == (401, "unauthorized")
    assert (answer.error["code"], answer.error["message"]) == (code, message)
    assert answer.headers["WWW-Authenticate"] == INVALID_TOKEN


def test_a_revoked_key_is_told_so(call: ApiClient, reader: Issued, as_admin: Actor) -> None:
    assert ask(call, reader).status == 200
    with time_machine.travel(END, tick=False):
        services.revoke_api_key(reader.key, actor=as_admin)

    message = "This API key was revoked on 2027-03-01T12:00:00Z."
    assert_unauthorized(ask(call, reader), "key_revoked", message)


def test_an_expired_key_is_told_so_from_that_very_moment(
    call: ApiClient, make_key: MakeKey
) -> None:
    issued = make_key(expires_at=END)

    with time_machine.travel(END - timedelta(microseconds=1), tick=False):
        assert ask(call, issued).status == 200
    with time_machine.travel(END, tick=False):
        answer = ask(call, issued)
    message = "This API key expired on 2027-03-01T12:00:00Z."
    assert_unauthorized(answer, "key_expired", message)


def test_a_disabled_key_is_told_so_and_works_again_when_enabled(
    call: ApiClient, reader: Issued, as_admin: Actor
) -> None:
    with time_machine.travel(END, tick=False):
        services.set_api_key_enabled(reader.key, enabled=False, actor=as_admin)
    message = "This API key was disabled on 2027-03-01T12:00:00Z."
    assert_unauthorized(ask(call, reader), "key_disabled", message)

    services.set_api_key_enabled(reader.key, enabled=True, actor=as_admin)
    assert ask(call, reader).status == 200


def test_a_key_of_a_disabled_service_account_is_told_so_until_it_is_enabled(
    call: ApiClient, make_key: MakeKey, account: ServiceAccount
) -> None:
    issued = make_key(service_account=account)
    with time_machine.travel(END, tick=False):
        organization_services.set_service_account_enabled(account, enabled=False, actor=SYSTEM)
    message = "The service account of this API key was disabled on 2027-03-01T12:00:00Z."
    assert_unauthorized(ask(call, issued), "key_disabled", message)

    organization_services.set_service_account_enabled(account, enabled=True, actor=SYSTEM)
    assert ask(call, issued).status == 200


def test_a_secret_that_a_rotation_has_ended_is_told_so(
    call: ApiClient, reader: Issued, as_admin: Actor
) -> None:
    with time_machine.travel(END, tick=False):
        services.rotate_api_key(reader.key, actor=as_admin, grace_period=timedelta(0))
        answer = ask(call, reader)

    message = (
        "This secret stopped working on 2027-03-01T12:00:00Z, after a rotation."
        " Use the key's newer secret."
    )
    assert_unauthorized(answer, "key_rotated", message)


def test_using_a_retired_secret_leaves_one_event_a_minute(
    call: ApiClient,
    reader: Issued,
    as_admin: Actor,
    events: Callable[..., list[AuditEvent]],
) -> None:
    services.rotate_api_key(reader.key, actor=as_admin, grace_period=timedelta(0))
    first = ask(call, reader)
    ask(call, reader)

    found = events("api_key.retired_secret_used")
    assert [event.request_id for event in found] == [first.headers["X-Request-Id"]]


@pytest.mark.parametrize("path", [CURRENT, "templates"])
def test_keys_of_an_organization_without_api_access_are_forbidden_until_it_is_back(
    call: ApiClient, reader: Issued, acme: Organization, path: str
) -> None:
    path = templates(acme) if path == "templates" else path
    organization_services.set_api_access(acme, enabled=False, actor=SYSTEM)

    answer = call("GET", path, key=reader)

    assert (answer.status, answer.error["type"]) == (403, "forbidden")
    assert answer.error["code"] == "api_access_disabled"
    assert answer.error["message"] == (
        "API access is turned off for this organization. Contact support."
    )
    assert "WWW-Authenticate" not in answer.headers
    organization_services.set_api_access(acme, enabled=True, actor=SYSTEM)
    assert call("GET", path, key=reader).status == 200


def test_another_organization_s_switch_is_none_of_one_s_own(
    call: ApiClient, reader: Issued, globex: Organization
) -> None:
    organization_services.set_api_access(globex, enabled=False, actor=SYSTEM)

    assert ask(call, reader).status == 200


def test_the_first_reason_is_told_where_there_are_several(
    call: ApiClient, make_key: MakeKey, acme: Organization, as_admin: Actor
) -> None:
    issued = make_key(expires_at=END)
    services.set_api_key_enabled(issued.key, enabled=False, actor=as_admin)
    organization_services.set_api_access(acme, enabled=False, actor=SYSTEM)
    codes = [ask(call, issued).error["code"]]
    with time_machine.travel(END):
        codes.append(ask(call, issued).error["code"])
        services.revoke_api_key(issued.key, actor=as_admin)
        codes.append(ask(call, issued).error["code"])

    assert codes == ["key_disabled", "key_expired", "key_revoked"]


def test_a_refused_call_is_no_use_of_the_key(
    call: ApiClient, reader: Issued, as_admin: Actor
) -> None:
    services.revoke_api_key(reader.key, actor=as_admin)
    ask(call, reader)

    reader.key.refresh_from_db()
    assert reader.key.last_used_at is None


# --- The challenges of RFC 6750 ---


def test_the_challenge_has_no_error_where_nothing_was_sent(call: ApiClient, db: None) -> None:
    assert call("GET", CURRENT).headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_the_challenge_says_invalid_token_for_an_unknown_key(
    call: ApiClient, reader: Issued, db: None
) -> None:
    unknown = call("GET", CURRENT, key="sig_live_" + "0" * 34 + "1TfrOg")

    assert unknown.error["code"] == "invalid_api_key"
    assert unknown.headers["WWW-Authenticate"] == INVALID_TOKEN


def test_the_challenge_names_the_scope_that_the_address_needs(
    call: ApiClient, reader: Issued
) -> None:
    headers = call("GET", "/v1/api-keys", key=reader).headers

    assert headers["WWW-Authenticate"] == (
        'Bearer realm="api", error="insufficient_scope", scope="api-keys:manage"'
    )
