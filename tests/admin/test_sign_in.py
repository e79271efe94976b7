"""Staff sign in like other users, with the same limits and second factors."""

from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from organizations.models import User
from tests.factories import PASSWORD

BY_PASSWORD = {"username": "sam@latchkey.example", "password": PASSWORD}


def test_the_administration_has_no_sign_in_of_its_own(staff: User) -> None:
    client = Client()

    for answer in (client.get("/admin/login/"), client.post("/admin/login/", BY_PASSWORD)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/?next=")
    assert client.get("/admin/").status_code == 302


def test_a_second_factor_is_asked_for(staff: User) -> None:
    TOTP.activate(staff, generate_totp_secret())
    client = Client()

    fields = {"login": staff.email, "password": PASSWORD, "next": "/admin/"}
    asked = client.post("/accounts/login/", fields)
    client.post("/admin/login/", BY_PASSWORD)

    assert asked["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302


def test_without_one_the_password_leads_in(staff: User) -> None:
    client = Client()
    fields = {"login": staff.email, "password": PASSWORD, "next": "/admin/"}

    assert client.post("/accounts/login/", fields)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_customers_are_refused(admin: User) -> None:
    client = Client()
    client.force_login(admin)

    assert client.get("/admin/login/").status_code == 403


def test_the_administration_can_ask_for_a_second_factor(staff: User, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client = Client()
    client.post("/accounts/login/", {"login": staff.email, "password": PASSWORD})

    refused = client.get("/admin/organizations/organization/")
    told = client.get(refused["Location"], follow=True)
    TOTP.activate(staff, generate_totp_secret())

    assert refused["Location"].startswith("/admin/login/?next=")
    assert told.redirect_chain[-1][0] == "/accounts/2fa/"
    assert "The administration requires two-factor authentication." in told.content.decode()
    assert client.get("/admin/organizations/organization/").status_code == 200


def test_customers_are_not_told_about_it(admin: User, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client = Client()
    client.force_login(admin)

    assert client.get("/admin/login/").status_code == 403
