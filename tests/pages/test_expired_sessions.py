"""After a session has expired or been revoked, the sign-in page says why it is shown."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import developer, html, sign_in

UNSAVED = "You were signed out, so your changes were not saved. Sign in, then send them again."
OVER = "You were signed out. Sign in to continue."
FORMS = {
    "rename": "/o/acme/settings/",
    "invite": "/o/acme/settings/members/invite/",
    "create key": "/o/acme/settings/developer/keys/create/",
    "new organization": "/organizations/new/",
    "own data": "/accounts/data/",
    "email": "/accounts/email/",
    "password": "/accounts/password/change/",
}


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text


@pytest.mark.parametrize("address", FORMS.values(), ids=FORMS)
def test_a_form_that_was_not_saved_says_so(acme: Organization, admin: User, address: str) -> None:
    browser = sign_in(admin)
    Session.objects.all().delete()

    answer = browser.post(address, {"name": "Other"}, follow=True)

    assert answer.request["PATH_INFO"] == "/accounts/login/"
    assert UNSAVED in _text(answer)
    assert not Session.objects.exists()


def test_after_a_new_password_elsewhere_a_page_says_why(acme: Organization, admin: User) -> None:
    browser = sign_in(admin)
    admin.set_password("another long passphrase")
    admin.save()

    answer = browser.get(developer(acme), follow=True)

    assert OVER in _text(answer)
    assert UNSAVED not in _text(answer)


def test_signing_in_leads_back(acme: Organization, admin: User) -> None:
    browser = sign_in(admin)
    Session.objects.all().delete()
    asked = browser.get(developer(acme), follow=True)
    assert OVER in _text(asked)

    fields = {"login": admin.email, "password": PASSWORD, "next": developer(acme)}
    led = browser.post("/accounts/login/", fields)

    assert led.headers["Location"] == developer(acme)


@pytest.mark.parametrize("visitor", ["never here", "signed out"])
def test_others_are_not_told_that_they_were_signed_out(
    acme: Organization, admin: User, visitor: str
) -> None:
    browser = Client()
    if visitor == "signed out":
        sign_in(admin, browser).post("/accounts/logout/")

    answer = browser.get(developer(acme), follow=True)

    assert "You were signed out" not in _text(answer)
