"""What a code of an app is good for, and that a new password does not replace it."""

import re
from typing import Any

from allauth.mfa import app_settings
from django.core import mail
from django.test import Client

from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import sign_in
from tests.second_factors import code_of

PAGE = "/o/acme/settings/developer/"
LOGIN = "/accounts/login/"
SECOND = "/accounts/2fa/authenticate/"


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


def test_codes_last_thirty_seconds_and_those_for_bad_days_have_eight_digits() -> None:
    assert (app_settings.TOTP_PERIOD, app_settings.TOTP_TOLERANCE) == (30, 0)
    assert app_settings.RECOVERY_CODE_DIGITS == 8


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
