import re
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apikeys.models import ApiKey
from apikeys.services import Issued
from tests.client import ApiClient


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
        ("made up", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_is_believed_about_the_nearest_stranger(
    forwarded: str, client: str, reader: Issued, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)

    used = _use(reader, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert used.last_used_ip == client


@pytest.mark.parametrize(
    ("address", "scheme", "status"),
    [
        ("10.0.0.1", "https", 302),
        ("10.0.0.1", "http", 301),
        ("10.0.0.1", "https, http", 301),
        ("198.51.100.7", "https", 301),
    ],
)
def test_the_scheme_is_believed_from_a_trusted_proxy_only(
    address: str, scheme: str, status: int, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    settings.SECURE_SSL_REDIRECT = True

    response = Client().get("/", REMOTE_ADDR=address, HTTP_X_FORWARDED_PROTO=scheme)

    assert response.status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/nothing-here", "/v1/api-keys", "/v1/nothing"])
def test_pages_and_api_have_the_security_headers(path: str, client: Client) -> None:
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
