"""Clients behind a proxy have separate limits in every notation of their IP addresses."""

from ipaddress import ip_network
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from pytest_django import Settings

from apikeys import tokens
from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import html
from tests.support.logs import Lines

LOGIN = "/accounts/login/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)


def guess(forwarded: str, proxy: str = "10.0.0.1") -> int:
    """The status for an API key that does not exist."""
    secret = tokens.generate("sig", tokens.Environment.LIVE)
    return (
        Client()
        .get(
            "/v1/api-keys/current",
            headers={"Authorization": f"Bearer {secret}", "X-Forwarded-For": forwarded},
            REMOTE_ADDR=proxy,
        )
        .status_code
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("203.0.113.7:52341", "203.0.113.8:52341"),
        ("[2001:db8:0:1::1]:443", "[2001:db8:0:2::1]:443"),
        ("203.0.113.7,", "203.0.113.8,"),
        ("made up", "also made up"),
        ("made up", "203.0.113.8"),
    ],
)
def test_a_client_that_guesses_uses_up_nothing_of_another(
    first: str, second: str, settings: Settings
) -> None:
    settings.INVALID_KEYS_PER_MINUTE = 3
    for _ in range(5):
        guess(first)

    assert guess(second) == 401


@pytest.mark.parametrize("first", ["203.0.113.7:52341", "[2001:db8::1]:443", "203.0.113.7,"])
def test_another_port_is_the_same_client(first: str, settings: Settings) -> None:
    settings.INVALID_KEYS_PER_MINUTE = 3
    for _ in range(4):
        guess(first)

    assert guess(first.replace("52341", "52342").replace("443", "444")) == 429


def test_an_unreadable_address_is_logged_once_for_each_proxy(lines: Lines) -> None:
    for forwarded in ("made-up-by-a-proxy", "unknown", "unknown"):
        guess(forwarded, proxy="10.9.9.1")
    guess("unknown", proxy="10.9.9.2")

    warnings = [line for line in lines() if line["event"] == "forwarded_address_unreadable"]
    assert [line["proxy"] for line in warnings] == ["10.9.9.1", "10.9.9.2"]
    assert "made-up-by-a-proxy" not in str(lines())


def attempt(password: str, admin: User, forwarded: str) -> Any:
    form = {"login": admin.email, "password": password}
    headers = {"X-Forwarded-For": forwarded}
    return Client().post(LOGIN, form, headers=headers, REMOTE_ADDR="10.0.0.1")


def test_people_sign_in_from_an_unknown_address(acme: Organization, admin: User) -> None:
    answer = attempt(PASSWORD, admin, "unknown")

    assert answer.status_code == 302
    assert UserSession.objects.get(user=admin).ip == "0.0.0.0"
    page = html(answer.client.get("/accounts/sessions/"))
    assert "Unknown" in page
    assert "0.0.0.0" not in page


def test_failures_from_unknown_addresses_lock_no_other_account(
    acme: Organization, admin: User, outsider: User
) -> None:
    answers = [attempt("wrong", outsider, "unknown") for _ in range(12)]

    assert "Too many attempts" in html(answers[-1])
    assert attempt(PASSWORD, admin, "unknown").status_code == 302
