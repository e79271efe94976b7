"""Signing up never reveals whether an email address has an account."""

import re
from typing import Any, Final

import pytest
from django.core import mail
from django.test import Client

from organizations.mail import background
from organizations.models import Organization, User
from tests.pages.support import html, sign_in

NEW: Final = "nora@new.example"
OWN: Final = "quite another horse"
INCORRECT: Final = "Email or password is incorrect."


def _sign_up(email: str, password: str = OWN) -> Client:
    client = Client()
    form = {"email": email, "password1": password, "name": "", "organization": "Zed Limited"}
    client.post("/accounts/signup/", form)
    return client


def _log_in(client: Client, email: str, password: str = OWN) -> Any:
    answer = client.post("/accounts/login/", {"login": email, "password": password})
    background.submit(bool).result()  # after all that is being sent
    return answer


def _seen(answer: Any) -> Any:
    """What a browser gets, without what differs from one request to the next."""
    page = re.sub(r'<input type="hidden"[^>]*>|nonce="[^"]*"', "", html(answer))
    for address in (NEW, "ada@acme.example"):
        page = page.replace(address, "")
    return answer.status_code, answer.headers.get("Location"), sorted(answer.cookies), page


def test_signing_in_after_it(acme: Organization, admin: User) -> None:
    browsers = [_sign_up(email) for email in (NEW, admin.email)]

    new, taken = _log_in(browsers[0], NEW), _log_in(browsers[1], admin.email)

    assert new.context["form"].non_field_errors() == [INCORRECT]
    assert _seen(new) == _seen(taken)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accounts/confirm-email/",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/2fa/authenticate/",
        "/accounts/reauthenticate/",
        "/accounts/email/",
    ],
)
def test_every_page_after_it(acme: Organization, admin: User, path: str) -> None:
    new, taken = _sign_up(NEW), _sign_up(admin.email)

    assert _seen(new.get(path)) == _seen(taken.get(path))


def test_a_second_sign_up_within_three_minutes(acme: Organization, admin: User) -> None:
    first = _sign_up(NEW).get("/accounts/confirm-email/")
    second = _sign_up(NEW).get("/accounts/confirm-email/")

    assert _seen(first) == _seen(second)


def test_attempts_are_counted_alike(acme: Organization, admin: User) -> None:
    for email in (NEW, admin.email):
        _sign_up(email)

    answers = [
        [_log_in(Client(REMOTE_ADDR=f"198.51.100.{n}"), email) for n in range(7)]
        for email in (NEW, admin.email)
    ]

    new, taken = [[_seen(answer) for answer in row] for row in answers]
    assert new == taken
    assert "Too many attempts." in html(answers[0][-1])


def test_the_link_is_mailed_again(db: None, settings: Any) -> None:
    _sign_up(NEW)
    mail.outbox.clear()
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": "9/m/key"}

    answer = _log_in(Client(), NEW)
    _log_in(Client(), NEW, "wrong")

    (sent,) = mail.outbox
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(sent.body))
    assert link
    assert "we sent the link again" in html(answer)
    assert Client().post(link[1], {"password": OWN}).status_code == 302
    browser = Client()
    assert _log_in(browser, NEW).status_code == 302
    assert "_auth_user_id" in browser.session


def test_the_link_is_not_mailed_again_within_three_minutes(db: None) -> None:
    _sign_up(NEW)

    _log_in(Client(), NEW)

    assert len(mail.outbox) == 1


def test_the_page_after_a_sign_up_says_what_to_do(db: None) -> None:
    page = html(_sign_up(NEW).get("/accounts/confirm-email/"))

    assert "Sign in with the same email address and password." in page
    assert NEW not in page


def test_a_mail_server_that_is_away_is_not_noticed(db: None, settings: Any) -> None:
    _sign_up(NEW)
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": "9/m/key"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    answer = _log_in(Client(), NEW)

    assert answer.context["form"].non_field_errors() == [INCORRECT]
    assert "send the email" not in html(answer)


def test_confirmed_people_sign_in(acme: Organization, admin: User) -> None:
    assert "_auth_user_id" in sign_in(admin).session
    assert "we sent the link" not in html(Client().get("/accounts/login/"))
