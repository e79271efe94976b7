"""The API neither reads nor sets cookies."""

import pytest
from django.test import Client

from apikeys.services import Issued
from organizations.models import User
from tests.support.api import CURRENT, KEYS
from tests.support.client import ApiClient
from tests.support.dialects import refusal_of

BODY = {"name": "New", "scopes": ["search:read"]}


@pytest.fixture
def signed_in(call: ApiClient, staff: User) -> ApiClient:
    """A client with the session of a member of staff who may do everything elsewhere."""
    call.client.force_login(staff)
    return call


@pytest.fixture
def strict() -> Client:
    """A client for which CSRF checks are on, as they are outside tests."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def test_a_good_session_alone_is_401(signed_in: ApiClient) -> None:
    answer = signed_in("GET", KEYS)

    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_good_session_does_not_help_a_bad_key(signed_in: ApiClient) -> None:
    assert signed_in("GET", KEYS, key="sig_live_" + "0" * 34 + "1TfrOg").status == 401


def test_a_good_session_does_not_lend_its_powers_to_a_lesser_key(
    signed_in: ApiClient, reader: Issued
) -> None:
    assert signed_in("GET", KEYS, key=reader).status == 403


def test_a_key_as_a_session_cookie_opens_nothing(call: ApiClient, manager: Issued) -> None:
    call.client.cookies["sessionid"] = manager.secret

    assert call("GET", KEYS).status == 401


@pytest.mark.parametrize("cookies", [{}, {"csrftoken": "bad", "sessionid": "x"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", CURRENT), ("POST", KEYS), ("POST", "/v1/nowhere"), ("GET", "/api"), ("PUT", KEYS)],
)
def test_no_answer_sets_a_cookie_or_depends_on_one(
    call: ApiClient, manager: Issued, method: str, path: str, cookies: dict[str, str]
) -> None:
    for name, value in cookies.items():
        call.client.cookies[name] = value

    answer = call(method, path, BODY, key=manager)

    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers
    assert {k: v.value for k, v in call.client.cookies.items()} == cookies


def test_writing_with_a_key_needs_no_csrf_token(strict: Client, manager: Issued) -> None:
    headers = {"Authorization": f"Bearer {manager.secret}"}

    answer = strict.post(KEYS, BODY, content_type="application/json", headers=headers)

    assert answer.status_code == 201


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/nowhere", "/api/v9", "/envelope", "/v1/api-keys/"])
def test_writing_to_an_unknown_address_is_404_and_no_csrf_refusal(
    strict: Client, path: str, method: str
) -> None:
    answer = strict.generic(method, path, b"{}", "application/json")

    assert answer.status_code == 404
    assert refusal_of(path, answer.json()).message == "No such resource."
