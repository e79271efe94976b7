"""Request IDs, forwarded headers, and security headers."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.usage.recorder import recorder
from tests.support.client import ApiClient
from tests.support.logs import Lines


def test_every_answer_has_an_id_of_its_own(call: ApiClient) -> None:
    answers = [call("GET", path) for path in ("/livez", "/livez", "/nothing-here", "/v1/nothing")]
    seen = [answer.headers["X-Request-Id"] for answer in answers]

    assert len(set(seen)) == len(seen)
    assert all(re.fullmatch(r"req_[0-9A-Za-z]{22}", one) for one in seen)
    assert answers[-1].body["request_id"] == seen[-1]


def test_an_id_that_the_client_sends_is_not_taken_over(call: ApiClient) -> None:
    answer = call("GET", "/livez", headers={"X-Request-Id": "req_chosen"})

    assert answer.headers["X-Request-Id"] != "req_chosen"


def _use(key: Issued, **meta: Any) -> ApiKey:
    authorization = {"Authorization": f"Bearer {key.secret}"}
    assert Client().get("/v1/api-keys/current", headers=authorization, **meta).status_code == 200
    recorder.flush()
    return ApiKey.objects.get(pk=key.key.pk)


def test_a_forwarded_address_of_a_stranger_is_ignored(reader: Issued) -> None:
    used = _use(reader, REMOTE_ADDR="198.51.100.7", HTTP_X_FORWARDED_FOR="203.0.113.9")

    assert used.last_used_ip == "198.51.100.7"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("2001:db8::9", "2001:db8::9"),
        ("203.0.113.9:52341", "203.0.113.9"),
        ("[2001:db8::9]:443", "2001:db8::9"),
        ("203.0.113.9,", "203.0.113.9"),
        ("made up", None),
        ("", "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_is_believed_about_the_nearest_stranger(
    forwarded: str, client: str | None, reader: Issued, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)

    used = _use(reader, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert used.last_used_ip == client


@pytest.mark.parametrize(
    ("address", "forwarded", "scheme", "status"),
    [
        ("10.0.0.1", "", "https", 302),
        ("10.0.0.1", "", "HTTPS", 302),
        ("10.0.0.1", "", "https,", 302),
        ("10.0.0.1", "", "http", 301),
        ("10.0.0.1", "", "https, http", 301),
        ("10.0.0.1", "203.0.113.9", "https, http", 301),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "https", 302),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "Https, http", 302),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "https, http, http", 301),
        ("10.0.0.1", "203.0.113.9, 10.0.0.3, 10.0.0.2", "https, http", 301),
        ("10.0.0.1", "203.0.113.9, 10.0.0.3, 10.0.0.2", "https, https", 302),
        ("10.0.0.1", "", "https://", 301),
        ("198.51.100.7", "", "https", 301),
        ("", "", "https", 301),
    ],
)
def test_the_scheme_is_believed_from_a_trusted_proxy_only(
    address: str, forwarded: str, scheme: str, status: int, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    settings.SECURE_SSL_REDIRECT = True
    headers = {"X-Forwarded-Proto": scheme, "X-Forwarded-For": forwarded}

    response = Client().get("/", headers=headers, REMOTE_ADDR=address)

    assert response.status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/api-keys", "/v1/nothing", "/api/v1", "/envelope/x"])
def test_the_api_has_the_security_headers(path: str, client: Client, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 60

    headers = client.get(path, secure=True).headers

    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Strict-Transport-Security" not in client.get(path).headers


def test_an_unknown_host_gets_nothing_of_the_api(client: Client) -> None:
    answer = client.get("/v1/api-keys/current", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "validation_error"


@pytest.mark.django_db
def test_calls_pass_none_of_the_middleware_of_pages(client: Client, settings: Settings) -> None:
    *others, last = settings.MIDDLEWARE
    settings.MIDDLEWARE = [*others, f"{__name__}.marking", last]

    assert "X-Pages" in client.get("/docs/").headers
    assert "X-Pages" not in client.get("/v1/api-keys/current").headers


def marking(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Middleware that marks what has passed it."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        response["X-Pages"] = "yes"
        return response

    return middleware


@pytest.mark.parametrize(
    ("method", "path", "logged"),
    [
        ("GET", "/v1/openapi.json", False),
        ("POST", "/v1/openapi.json", True),
        ("GET", "/v1/api-keys/current", True),
        ("GET", "/livez", True),
    ],
)
@pytest.mark.parametrize("all_of_them", [False, True])
def test_calls_that_went_well_are_logged_on_request(
    method: str,
    path: str,
    logged: bool,
    all_of_them: bool,
    client: Client,
    settings: Settings,
    lines: Lines,
) -> None:
    settings.API_ACCESS_LOG = all_of_them

    client.generic(method, path)

    found = [line["path"] for line in lines() if line["event"] == "request"]
    assert found == ([path] if logged or all_of_them else [])


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/nothing-here"])
def test_pages_have_the_security_headers(path: str, client: Client) -> None:
    headers = client.get(path).headers

    assert headers["Content-Security-Policy"].count("default-src 'self'") == 1
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_the_api_is_not_stored_and_sets_no_cookie(client: Client) -> None:
    for path in ("/v1/api-keys", "/v1/nothing", "/api/nothing", "/envelope"):
        response = client.get(path)

        assert response.headers["Cache-Control"] == "no-store"
        assert not response.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/admin/login/", "/nothing-here", "/accounts/signup/"])
def test_no_page_is_kept_by_anybody(client: Client, path: str) -> None:
    assert "no-store" in client.get(path).headers["Cache-Control"]


@pytest.mark.django_db
def test_files_may_be_kept(client: Client) -> None:
    response = client.get("/static/css/tokens.css")
    response.close()

    assert "max-age=" in response.headers["Cache-Control"]
