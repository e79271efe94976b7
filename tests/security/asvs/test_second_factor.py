"""Codes of authenticator apps, and that a new password doesn't replace them."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa import app_settings
from django.core import mail
from django.test import Client

from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import sign_in
from tests.support.second_factors import code_of

PAGE = "/o/acme/settings/developer/"
LOGIN = "/accounts/login/"
SECOND = "/accounts/2fa/authenticate/"


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock of the codes and of what is remembered, in steps of 30 seconds from now."""
    begin = time.time() // 30 * 30 + 29  # the end of a step: what is kept for 30 seconds is short

    def at(step: int) -> None:
        monkeypatch.setattr(time, "time", lambda: begin + step * 30)

    return at


def _app_of(admin: User) -> str:
    client = sign_in(admin)
    secret: str = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302
    return secret


def _with_code(admin: User, code: str, password: str = PASSWORD) -> Any:
    client = Client()
    client.post(LOGIN, {"login": admin.email, "password": password})
    client.post(SECOND, {"code": code})
    return client.get(PAGE)


def test_a_code_signs_in_once(acme: Organization, admin: User) -> None:
    code = code_of(_app_of(admin))

    assert _with_code(admin, code).status_code == 200
    assert _with_code(admin, code).status_code == 302


def test_codes_change_every_thirty_seconds_and_those_for_bad_days_have_eight_digits() -> None:
    assert app_settings.TOTP_PERIOD == 30
    assert app_settings.RECOVERY_CODE_DIGITS == 8


@pytest.mark.parametrize(
    ("step", "status"), [(-2, 302), (-1, 200), (0, 200), (1, 302)], ids=lambda value: str(value)
)
def test_the_code_of_now_and_the_one_before_are_taken(
    acme: Organization, admin: User, moment: Callable[[int], None], step: int, status: int
) -> None:
    moment(0)
    secret = _app_of(admin)
    moment(step)
    code = code_of(secret)
    moment(0)

    assert _with_code(admin, code).status_code == status


def test_a_code_is_good_once_for_as_long_as_it_is_taken(
    acme: Organization, admin: User, moment: Callable[[int], None]
) -> None:
    moment(0)
    secret = _app_of(admin)
    code = code_of(secret)

    first = _with_code(admin, code).status_code
    moment(1)

    assert (first, _with_code(admin, code).status_code) == (200, 302)
    assert _with_code(admin, code_of(secret)).status_code == 200


def test_the_app_is_set_up_with_the_code_before(
    acme: Organization, admin: User, moment: Callable[[int], None]
) -> None:
    client = sign_in(admin)
    moment(0)
    secret: str = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    moment(-1)
    code = code_of(secret)
    moment(0)

    assert client.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302


def test_a_new_password_does_not_replace_the_second_factor(acme: Organization, admin: User) -> None:
    _app_of(admin)
    client, new = Client(), "quite another horse"
    mail.outbox.clear()
    client.post("/accounts/password/reset/", {"email": admin.email})
    link = re.search(
        r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body)
    )
    assert link
    form = client.get(link[1], follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": new, "password2": new})
    admin.refresh_from_db()

    assert admin.check_password(new)
    assert client.get(PAGE).status_code == 302
    asked = Client().post(LOGIN, {"login": admin.email, "password": new})
    assert asked["Location"].startswith(SECOND)
