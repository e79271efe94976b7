"""What is logged about sign-ins, and what is not."""

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client

from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import sign_in
from tests.support.logs import Lines

LOGIN = "/accounts/login/"
TYPED = "not it at all"
SECOND = "/accounts/2fa/authenticate/"


def _events(lines: Lines) -> list[dict[str, Any]]:
    """The lines of this module, without what every line has."""
    wanted = ("event", "person", "by")
    return [
        {name: line[name] for name in wanted if name in line}
        for line in lines()
        if line["logger"] == "organizations.signin.event_log"
    ]


def test_signing_in_and_out(acme: Organization, admin: User, lines: Lines) -> None:
    client = sign_in(admin)
    client.post("/accounts/logout/")

    assert _events(lines) == [
        {"event": "signed_in", "person": admin.public_id, "by": ["password"]},
        {"event": "signed_out", "person": admin.public_id},
    ]


@pytest.mark.parametrize("login", ["ada@acme.example", "nobody@acme.example"])
def test_a_failed_attempt_does_not_say_what_was_typed(
    acme: Organization, admin: User, login: str, lines: Lines
) -> None:
    Client(REMOTE_ADDR="203.0.113.8").post(LOGIN, {"login": login, "password": TYPED})

    assert _events(lines) == [{"event": "sign_in_failed"}]
    assert "203.0.113.8" in str(lines())
    assert TYPED not in str(lines())
    assert login not in str(lines())


def test_both_steps_of_a_sign_in(acme: Organization, admin: User, lines: Lines) -> None:
    secret = generate_totp_secret()
    TOTP.activate(admin, secret)
    client = Client()
    client.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    client.post(SECOND, {"code": f"{(int(code) + 1) % 1_000_000:06}"})
    client.post(SECOND, {"code": code})

    assert _events(lines) == [
        {"event": "second_factor_failed", "person": admin.public_id},
        {"event": "signed_in", "person": admin.public_id, "by": ["password", "mfa"]},
    ]
    assert secret not in str(lines())


def test_a_changed_password(acme: Organization, admin: User, lines: Lines) -> None:
    new = "quite another horse"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}

    sign_in(admin).post("/accounts/password/change/", fields)

    assert {"event": "password_changed", "person": admin.public_id} in _events(lines)
    assert new not in str(lines())
