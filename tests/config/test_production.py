"""Production settings that require HTTPS, applied to the test settings."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from config.env import ROOT
from organizations.models import User
from tests.factories import PASSWORD
from tests.support.processes import GOOD_SECRETS, MAIL_SERVER, environment, manage

ADDED = (
    "SECURE_SSL_REDIRECT",
    "SECURE_REDIRECT_EXEMPT",
    "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_SECURE",
    "CSRF_COOKIE_NAME",
)


@pytest.fixture
def production(settings: Settings, db: None, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("EMAIL_URL", MAIL_SERVER)
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
    assert "__Host-csrftoken" in response.cookies


def test_cookies_belong_to_this_host_alone(production: Client, admin: User) -> None:
    credentials = {"login": admin.email, "password": PASSWORD}
    production.get("/accounts/login/", secure=True)
    signed_in = production.post("/accounts/login/", credentials, secure=True)
    production.post("/theme/", {"theme": "dark"}, secure=True)

    assert signed_in.headers["Location"] == "/"
    assert {f"__Host-{name}" for name in ("sessionid", "csrftoken", "theme", "device")} == set(
        production.cookies
    )
    for cookie in production.cookies.values():
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert (
        'data-theme="dark"'
        in production.get("/accounts/login/", secure=True, follow=True).content.decode()
    )


@pytest.mark.parametrize("url", [None, "consolemail://"])
def test_emails_are_not_printed_to_the_log(url: str | None, tmp_path: Path) -> None:
    variables = {**environment(**GOOD_SECRETS), "VAR_DIR": str(tmp_path)}
    del variables["EMAIL_URL"]
    run = _check(variables if url is None else {**variables, "EMAIL_URL": url})
    base = _check({**variables, "DJANGO_SETTINGS_MODULE": "config.settings.base"})

    assert (run.returncode, base.returncode) == (1, 0)
    assert run.stderr.startswith("Set EMAIL_URL to your mail server")
    assert len(run.stderr.splitlines()) == 1


def test_the_mail_server_of_the_example_is_refused(tmp_path: Path) -> None:
    url = "smtp+tls://latchkey:change-me@mail.example.com:587"
    run = manage("check", **GOOD_SECRETS, EMAIL_URL=url, VAR_DIR=str(tmp_path))

    assert run.returncode == 1
    assert run.stderr.startswith("Set EMAIL_URL to your own mail server")


def _check(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
