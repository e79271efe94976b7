"""Sign-in and sign-up: one message for all failures, and an organization for each new user."""

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.test import Client

from organizations.models import AuditEvent, Membership, Organization, User
from tests.factories import PASSWORD
from tests.pages.support import html, sign_in
from tests.support.logs import Lines

NEWCOMER = {
    "email": "nora@new.example",
    "password1": PASSWORD,
    "name": "Nora New",
    "organization": "New Ventures",
}


def _text(response: Any) -> str:
    body: str = html(response)
    return body


@pytest.mark.parametrize(
    ("login", "password"),
    [("ada@acme.example", "wrong"), ("nobody@acme.example", PASSWORD)],
)
def test_a_wrong_address_and_a_wrong_password_read_the_same(
    acme: Organization, login: str, password: str
) -> None:
    answer = Client().post("/accounts/login/", {"login": login, "password": password})

    assert answer.context["form"].non_field_errors() == ["Email or password is incorrect."]


def test_an_admin_is_led_to_the_keys_and_a_member_to_the_organization(
    acme: Organization, admin: User, member: User
) -> None:
    assert sign_in(admin).get("/")["Location"] == "/o/acme/settings/developer/"
    assert sign_in(member).get("/")["Location"] == "/o/acme/settings/"


def test_signed_out_visitors_sign_in_and_come_back(acme: Organization, admin: User) -> None:
    client = Client()
    there = "/o/acme/settings/developer/?q=x"

    asked = client.get(there)
    answer = client.post(asked["Location"], {"login": admin.email, "password": PASSWORD})

    assert asked["Location"] == "/accounts/login/?next=/o/acme/settings/developer/%3Fq%3Dx"
    assert answer["Location"] == "/" or there in answer["Location"]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_no_other_site_is_led_to(acme: Organization, admin: User, elsewhere: str) -> None:
    fields = {"login": admin.email, "password": PASSWORD, "next": elsewhere}

    assert Client().post("/accounts/login/", fields)["Location"] == "/"


def test_the_session_is_a_new_one_after_signing_in(acme: Organization, admin: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["before"] = "1"
    session.save()
    before = session.session_key

    sign_in(admin, client)

    assert client.session.session_key != before


def test_whoever_is_deactivated_is_out_at_once(acme: Organization, admin: User) -> None:
    client = sign_in(admin)
    admin.is_active = False
    admin.save()

    assert client.get("/o/acme/settings/developer/").status_code == 302


def test_signing_up_makes_an_organization_once_the_address_is_confirmed(db: None) -> None:
    client = Client()

    answer = client.post("/accounts/signup/", NEWCOMER)
    unconfirmed = client.get("/")
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(mail.outbox[0].body))
    assert link
    client.post(link[1])
    client.post("/accounts/login/", {"login": NEWCOMER["email"], "password": PASSWORD})

    assert answer.status_code == 302
    assert unconfirmed["Location"].startswith("/accounts/login/")
    membership = Membership.objects.get()
    assert (membership.organization.name, membership.role) == ("New Ventures", "admin")
    assert client.get("/")["Location"] == "/o/new-ventures/settings/developer/"
    assert AuditEvent.objects.get(event="organization.created").actor_label == "Nora New"


def test_signing_up_with_a_known_address_looks_the_same_and_makes_nothing(
    acme: Organization, admin: User
) -> None:
    known = Client().post("/accounts/signup/", {**NEWCOMER, "email": admin.email})
    unknown = Client().post("/accounts/signup/", NEWCOMER)

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [o.name for o in Organization.objects.order_by("id")] == ["Acme", "New Ventures"]
    assert User.objects.get(email=admin.email).check_password(PASSWORD)


@pytest.mark.parametrize("field", ["email", "password1", "organization"])
def test_what_sign_up_needs(db: None, field: str) -> None:
    answer = Client().post("/accounts/signup/", {**NEWCOMER, field: ""})

    assert field in answer.context["form"].errors
    assert not User.objects.exists()
    assert not Organization.objects.exists()


def test_a_reset_tells_nobody_who_has_an_account(acme: Organization, admin: User) -> None:
    known = Client().post("/accounts/password/reset/", {"email": admin.email})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@acme.example"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_a_reset_link_works_once_and_is_in_no_log(
    acme: Organization, admin: User, lines: Lines
) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": admin.email})
    link = re.search(
        r"http://testserver(/accounts/password/reset/key/(\S+))", str(mail.outbox[0].body)
    )
    assert link
    form = client.get(link[1], follow=True)
    chosen = {"password1": "quite another horse", "password2": "quite another horse"}
    done = client.post(form.redirect_chain[-1][0], chosen)
    again = Client().get(link[1], follow=True)

    assert done.status_code == 302
    admin.refresh_from_db()
    assert admin.check_password("quite another horse")
    assert 'name="password1"' not in _text(again)
    assert link[2].rstrip("/") not in str(lines())
    assert "/accounts/password/reset/key/[redacted]/" in str(lines())


def test_an_app_is_asked_for_its_code(acme: Organization, admin: User) -> None:
    client = sign_in(admin)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert "<svg" in _text(page)
    assert "data:" not in _text(page)

    activated = client.post("/accounts/2fa/totp/activate/", {"code": _code(secret)})
    codes = client.get(activated["Location"])
    later = Client()
    asked = later.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    shut = later.get("/o/acme/settings/developer/")

    assert activated.status_code == 302
    assert codes.status_code == 200
    assert asked["Location"].startswith("/accounts/2fa/authenticate/")
    assert shut["Location"].startswith("/accounts/login/")


def _code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def test_other_sessions_can_be_ended(acme: Organization, admin: User) -> None:
    here, there = sign_in(admin), sign_in(admin)
    for client in (here, there):
        client.get("/o/acme/settings/developer/")

    here.post("/accounts/sessions/")

    assert here.get("/o/acme/settings/developer/").status_code == 200
    assert there.get("/o/acme/settings/developer/").status_code == 302


def test_too_many_wrong_passwords_are_stopped(acme: Organization, admin: User) -> None:
    client = Client(REMOTE_ADDR="203.0.113.77")
    answers = [
        client.post("/accounts/login/", {"login": admin.email, "password": f"wrong {n}"})
        for n in range(8)
    ]

    last = answers[-1]
    assert last.context["form"].non_field_errors() == [
        "Too many attempts. Try again in a few minutes."
    ]


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
    ],
)
def test_forms_need_a_token(db: None, address: str) -> None:
    assert Client(enforce_csrf_checks=True).post(address, {}).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/sessions/",
        "/accounts/logout/",
    ],
)
def test_pages_of_the_account_are_in_the_frame(
    acme: Organization, admin: User, address: str
) -> None:
    page = sign_in(admin).get(address, follow=True)

    text = _text(page)
    assert page.status_code == 200
    assert "css/components/button.css" in text
    assert "no-store" in page["Cache-Control"]
    assert not re.search(r"<[^>]+ (?:style|on[a-z]+)=", text)
    assert Client().get(address).status_code in (302, 200)
