"""What HTTPS adds, over the settings of the tests."""

from importlib import import_module

import pytest
from django.test import Client
from pytest_django import Settings

ADDED = (
    "SECURE_SSL_REDIRECT",
    "SECURE_REDIRECT_EXEMPT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
)


@pytest.fixture
def production(settings: Settings, db: None) -> Client:
    module = import_module("config.settings.production")
    for name in ADDED:
        setattr(settings, name, getattr(module, name))
    return Client()


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/nothing-here", "/v1x"])
def test_pages_redirect_to_https(path: str, production: Client) -> None:
    response = production.get(path)

    assert response.status_code == 301
    assert response.headers["Location"] == f"https://testserver{path}"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/api-keys", 401),
        ("/v1", 404),
        ("/api/v1/nothing", 404),
        ("/envelope/v1/nothing", 404),
        ("/livez", 200),
        ("/readyz", 200),
    ],
)
def test_the_api_and_the_health_checks_never_do(path: str, status: int, production: Client) -> None:
    assert production.get(path).status_code == status


def test_browsers_are_told_to_stay_with_https(production: Client) -> None:
    response = production.get("/accounts/login/", secure=True)

    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert all(cookie["secure"] for cookie in response.cookies.values())
    assert "csrftoken" in response.cookies
