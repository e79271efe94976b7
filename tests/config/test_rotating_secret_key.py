"""AB80: a new SECRET_KEY, with the old one as a fallback, invalidates nothing that users hold."""

import re
from collections.abc import Callable
from io import StringIO

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from apikeys.services import Issued
from organizations.models import Organization, User
from organizations.services.invitation_links import token_of
from tests.factories import PASSWORD, InvitationFactory
from tests.support.client import ApiClient
from tests.support.second_factors import code_of

PAGE = "/o/acme/settings/developer/"
KEYS = "/v1/api-keys"
Rotate = Callable[..., None]


@pytest.fixture
def rotate(settings: Settings) -> Rotate:
    """Puts a fresh key in place; keeps the one before unless told that it has leaked."""
    before = settings.SECRET_KEY

    def put_fresh(*, keep: bool = True) -> None:
        settings.SECRET_KEY = 10 * "fresh-"
        settings.SECRET_KEY_FALLBACKS = [before] if keep else []

    return put_fresh


def _signed_in(admin: User) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    assert client.get(PAGE).status_code == 200
    return client


def test_sessions_go_on_and_move_to_the_fresh_key(
    acme: Organization, admin: User, rotate: Rotate, settings: Settings
) -> None:
    visitor, absent = _signed_in(admin), _signed_in(admin)

    rotate()
    assert visitor.get(PAGE).status_code == 200

    settings.SECRET_KEY_FALLBACKS = []
    assert visitor.get(PAGE).status_code == 200
    assert absent.get(PAGE).status_code == 302


def test_without_the_fallback_everybody_signs_in_again(
    acme: Organization, admin: User, rotate: Rotate
) -> None:
    visitor = _signed_in(admin)

    rotate(keep=False)

    assert visitor.get(PAGE).status_code == 302


def test_a_form_that_was_open_can_be_sent(acme: Organization, admin: User, rotate: Rotate) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/accounts/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token

    rotate()
    fields = {"login": admin.email, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}

    assert client.post("/accounts/login/", fields).status_code == 302


@pytest.mark.parametrize(("keep", "status"), [(True, 200), (False, 400)])
def test_cursors_go_on(
    manager: Issued,
    make_key: Callable[..., Issued],
    call: ApiClient,
    rotate: Rotate,
    keep: bool,
    status: int,
) -> None:
    make_key(name="Another")
    first = call("GET", KEYS, key=manager, query={"limit": 1}).body

    rotate(keep=keep)
    second = call(
        "GET", KEYS, key=manager, query={"limit": 1, "cursor": first["pagination"]["cursor"]}
    )

    assert second.status == status
    if keep:
        assert [row["name"] for row in second.body["data"]] == ["Manager"]
    else:
        assert second.fields == ["cursor"]


@pytest.mark.parametrize(("keep", "status"), [(True, 200), (False, 404)])
def test_invitations_go_on(acme: Organization, rotate: Rotate, keep: bool, status: int) -> None:
    link = f"/invitations/{token_of(InvitationFactory.create(organization=acme))}/"

    rotate(keep=keep)

    assert Client().get(link, follow=True).status_code == status


@pytest.mark.parametrize("keep", [True, False])
def test_links_to_choose_a_password_go_on(
    acme: Organization, admin: User, rotate: Rotate, keep: bool
) -> None:
    Client().post("/accounts/password/reset/", {"email": admin.email})
    link = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    assert link

    rotate(keep=keep)

    page = Client().get(link[0], follow=True).content.decode()
    assert ('name="password1"' in page) is keep


def test_keys_do_not_hang_on_it(reader: Issued, call: ApiClient, rotate: Rotate) -> None:
    rotate(keep=False)

    assert call("GET", f"{KEYS}/current", key=reader).status == 200


@pytest.fixture
def seed(admin: User) -> str:
    """That of the admin's authenticator app."""
    seed: str = generate_totp_secret()
    TOTP.activate(admin, seed)
    return seed


def _opens_with_code(admin: User, seed: str) -> bool:
    cache.clear()  # a code works once, and so do attempts within a while
    client = Client()
    client.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": code_of(seed)})
    return client.get(PAGE).status_code == 200


@pytest.mark.parametrize("keep", [True, False])
def test_second_factors_go_on(
    acme: Organization, admin: User, seed: str, rotate: Rotate, keep: bool
) -> None:
    assert _opens_with_code(admin, seed)

    rotate(keep=keep)

    assert _opens_with_code(admin, seed) is keep


def test_second_factors_that_were_moved_need_no_fallback(
    acme: Organization, admin: User, seed: str, rotate: Rotate, settings: Settings
) -> None:
    rotate()
    call_command("reseal_second_factors", stdout=StringIO())

    settings.SECRET_KEY_FALLBACKS = []

    assert _opens_with_code(admin, seed)
