"""Security headers of every response, and what no response reveals."""

import pytest
from django.test import Client
from pytest_django import Settings

EVERYWHERE = ["/", "/accounts/login/", "/nothing-here", "/v1/api-keys", "/livez", "/readyz"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*EVERYWHERE, "/static/css/tokens.css"])
def test_every_answer_over_https_has_the_headers(
    path: str, client: Client, settings: Settings
) -> None:
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True

    response = Client().get(path, secure=True)
    response.close()

    assert "includeSubDomains" in response.headers["Strict-Transport-Security"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] in ("same-origin", "no-referrer")


@pytest.mark.django_db
@pytest.mark.parametrize("path", EVERYWHERE)
def test_no_other_origin_may_read_an_answer(path: str, client: Client) -> None:
    response = client.get(path, headers={"Origin": "https://evil.example"})

    assert not [name for name in response.headers if name.startswith("Access-Control-")]
    assert response.headers.get("Cross-Origin-Resource-Policy") == "same-origin"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/admin/login/", "/livez", "/docs/"])
def test_no_page_echoes_a_request(path: str, client: Client) -> None:
    response = client.generic("TRACE", path, headers={"X-Told": "marker-of-a-header"})

    assert b"marker-of-a-header" not in response.content


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/static/", "/static/js/", "/static/../manage.py", "/.git/HEAD"])
def test_no_folder_is_listed_and_no_source_served(path: str, client: Client) -> None:
    assert client.get(path).status_code == 404
