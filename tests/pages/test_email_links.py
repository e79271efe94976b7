"""Links in emails start with SITE_URL, regardless of the request's headers."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client, TestCase
from pytest_django import Settings

from config.env import ROOT
from organizations.models import Organization, User
from tests.admin.support import act, enter
from tests.factories import PASSWORD
from tests.pages.support import sign_in
from tests.support.mails import body_of, html_of, sent

SITE = "https://keys.example.com"
FORGED = {"HTTP_HOST": "testserver:6666"}
NEW_PASSWORD = f"{PASSWORD} anew"
RESET = "/accounts/password/reset/"


@pytest.fixture(autouse=True)
def site(settings: Settings, db: None) -> None:
    settings.SITE_URL = SITE


def forged() -> Client:
    """A browser, or an attacker, that names a port of its choice in the Host header."""
    return Client(**FORGED)  # type: ignore[arg-type]  # Django's stubs name no headers


def link() -> str:
    """The path of the one link in the newest email."""
    message = sent()[-1]
    assert "6666" not in f"{message.subject}{message.body}{html_of(message)}"
    (found,) = re.findall(r"(?:https?://\S+)", body_of(message))
    assert found.startswith(f"{SITE}/")
    path: str = found.removeprefix(SITE)
    return path


def test_a_reset_link(admin: User) -> None:
    forged().post(RESET, {"email": admin.email})

    client = Client()
    form = client.get(link(), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert User.objects.get(pk=admin.pk).check_password(NEW_PASSWORD)


def test_a_confirmation_link() -> None:
    newcomer = {"email": "nora@new.example", "password1": PASSWORD, "organization": "New"}
    forged().post("/accounts/signup/", newcomer)

    Client().post(link(), {"password": PASSWORD})
    assert EmailAddress.objects.get(email="nora@new.example").verified


def test_the_link_for_an_address_that_is_taken(admin: User) -> None:
    newcomer = {"email": admin.email, "password1": PASSWORD, "organization": "New"}
    forged().post("/accounts/signup/", newcomer)

    assert link() == RESET


@pytest.mark.parametrize("again", [False, True])
def test_an_invitation_link(acme: Organization, admin: User, again: bool) -> None:
    browser = sign_in(admin, forged())
    with TestCase.captureOnCommitCallbacks(execute=True):
        browser.post(
            "/o/acme/settings/members/invite/", {"email": "ida@new.example", "role": "member"}
        )
        if again:
            invitation = acme.invitations.get()
            browser.post(f"/o/acme/settings/members/invitations/{invitation.pk}/")

    assert len(mail.outbox) == 1 + again
    assert Client().get(link(), follow=True).status_code == 200


def test_the_link_that_staff_send(staff: User, member: User) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        act(enter(forged(), staff), "send_password_link", member)

    assert link().startswith(f"{RESET}key/")


def test_a_notice_names_no_host_of_the_request(admin: User, acme: Organization) -> None:
    answer = sign_in(admin, forged()).post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )

    assert answer.status_code == 302
    (notice,) = mail.outbox
    assert "6666" not in f"{notice.subject}{notice.body}"
    assert "testserver" not in f"{notice.subject}{notice.body}"


def test_the_host_header_opens_no_more_attempts(admin: User) -> None:
    answers: list[Any] = [
        Client(HTTP_HOST=f"testserver:{port}", REMOTE_ADDR=f"203.0.113.{port}").post(
            "/accounts/login/", {"login": admin.email, "password": f"wrong {port}"}
        )
        for port in range(1, 9)
    ]

    assert answers[-1].context["form"].non_field_errors() == [
        "Too many attempts. Try again in a few minutes."
    ]


def test_only_pages_ask_the_request_for_its_own_url() -> None:
    pages = {
        "apikeys/guide/views.py",
        "apikeys/pages/base.py",
        "apikeys/pages/key_test/views.py",
        "organizations/site_url.py",
    }
    packages = ("apikeys", "config", "organizations")
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]

    def asks(file: Path) -> bool:
        return bool(re.search(r"build_absolute_uri|get_current_site", file.read_text()))

    assert {str(file.relative_to(ROOT)) for file in files if asks(file)} == pages
