"""How sessions are named, how they end, and what an old one must reauthenticate for."""

import re
from collections.abc import Callable

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.test import Client

from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import grow_stale, sign_in, submission_of

PAGE = "/o/acme/settings/developer/"


def test_the_id_of_a_session_cannot_be_guessed(acme: Organization, admin: User) -> None:
    first, second = (sign_in(admin).session.session_key for _ in range(2))

    assert first
    assert second
    assert first != second
    assert re.fullmatch(r"[0-9a-z]{32}", first)  # 36 to the power of 32: 165 bits


def test_a_session_that_was_left_opens_nothing(acme: Organization, admin: User) -> None:
    client = sign_in(admin)
    kept = client.cookies["sessionid"].value
    assert client.get(PAGE).status_code == 200
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["sessionid"] = kept

    assert thief.get(PAGE).status_code == 302


def test_signing_out_clears_the_browser_and_looking_at_the_page_does_not(
    acme: Organization, admin: User
) -> None:
    client = sign_in(admin)

    asked, left = client.get("/accounts/logout/"), client.post("/accounts/logout/")

    assert "Clear-Site-Data" not in asked.headers
    assert left.status_code == 302
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get(PAGE).status_code == 302


@pytest.mark.parametrize("path", [PAGE, "/o/acme/settings/", "/accounts/sessions/"])
def test_the_way_out_is_on_the_page(acme: Organization, admin: User, path: str) -> None:
    assert 'action="/accounts/logout/"' in sign_in(admin).get(path).content.decode()


def _by_password(client: Client, admin: User) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def _by_code(client: Client, admin: User) -> None:
    codes = RecoveryCodes.activate(admin)
    client.post("/accounts/2fa/reauthenticate/", {"code": codes.get_unused_codes()[0]})


def _before_a_change(client: Client, admin: User) -> None:
    submission = submission_of(client.get(f"{PAGE}keys/create/"))
    fields = {"submission": submission, "name": "Made", "confirm_password": PASSWORD}
    assert client.post(f"{PAGE}keys/create/", fields).status_code == 201


@pytest.mark.parametrize("confirm", [_by_password, _by_code, _before_a_change])
def test_a_confirmation_gives_the_session_a_new_id(
    acme: Organization, admin: User, confirm: Callable[[Client, User], None]
) -> None:
    client, thief = sign_in(admin), Client()
    grow_stale(client)
    thief.cookies["sessionid"] = before = client.cookies["sessionid"].value

    confirm(client, admin)

    assert client.cookies["sessionid"].value != before
    assert client.get(PAGE).status_code == 200
    assert thief.get(PAGE).status_code == 302
    (listed,) = client.get("/accounts/sessions/").context["sessions"]
    assert listed.session_key == client.cookies["sessionid"].value


def test_a_wrong_confirmation_leaves_the_id(acme: Organization, admin: User) -> None:
    client = sign_in(admin)
    before = client.cookies["sessionid"].value

    client.post("/accounts/reauthenticate/", {"password": "not this one"})

    assert client.cookies["sessionid"].value == before
    assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/accounts/email/", {"action_add": "", "email": "new@acme.example"}),
        ("/accounts/2fa/totp/activate/", {"code": "123456"}),
        ("/accounts/2fa/webauthn/add/", {}),
    ],
)
def test_an_old_sign_in_is_confirmed_before_ways_in_are_changed(
    acme: Organization, admin: User, path: str, fields: dict[str, str]
) -> None:
    client = sign_in(admin)
    grow_stale(client)

    answer = client.post(path, fields)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not mail.outbox
