"""If the mail server rejects an email, pages explain how to get it, and nothing is lost."""

import re
from typing import Any, Final

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import Settings

from organizations.models import AuditEvent, Organization, User
from tests.factories import PASSWORD
from tests.pages.support import sign_in

NEW: Final = "nora@new.example"
UNSENT: Final = "We couldn&#x27;t send the email."
SENT: Final = ("We sent you a link", "we've sent it a link")


@pytest.fixture
def down(settings: Settings) -> None:
    """A mail server that refuses connections."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def _up(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def _sign_up(email: str, client: Client | None = None) -> Any:
    form = {"email": email, "password1": PASSWORD, "name": "Nora", "organization": "New Ventures"}
    client = client or Client(raise_request_exception=False)
    return client.post("/accounts/signup/", form, follow=True)


def _reset(email: str) -> Any:
    client = Client(raise_request_exception=False)
    return client.post("/accounts/password/reset/", {"email": email}, follow=True)


def _text(answer: Any) -> str:
    """What a page shows, without what differs from one request to the next."""
    page = re.sub(r'(?s)<(script|style)[ >].*?</\1>|<input type="hidden"[^>]*>', "", _body(answer))
    return re.sub(r"req_\w+", "", page)


def _body(answer: Any) -> str:
    body: str = answer.content.decode()
    return body


@pytest.mark.parametrize("ask", [_sign_up, _reset])
def test_the_page_says_so_and_the_same_for_every_address(
    acme: Organization, admin: User, down: None, ask: Any
) -> None:
    known, unknown = ask(admin.email), ask(NEW)

    assert (known.status_code, known.redirect_chain) == (200, unknown.redirect_chain)
    assert UNSENT in _text(known)
    assert not any(sent in _text(known) for sent in SENT)
    assert _text(known) == _text(unknown)


def test_a_sign_up_is_kept_and_its_email_follows(db: None, down: None, settings: Settings) -> None:
    _sign_up(NEW)
    _up(settings)

    again = _sign_up(NEW)

    assert any(sent in _text(again) for sent in SENT)
    assert [sent.to for sent in mail.outbox] == [[NEW]]
    assert User.objects.get().memberships.get().organization.name == "New Ventures"


def test_an_added_address_is_kept_and_its_email_follows(
    acme: Organization, admin: User, down: None, settings: Settings
) -> None:
    client = sign_in(admin, Client(raise_request_exception=False))

    added = client.post("/accounts/email/", {"action_add": "", "email": NEW}, follow=True)
    _up(settings)
    again = client.post("/accounts/email/", {"action_send": "", "email": NEW}, follow=True)

    assert UNSENT in _text(added)
    assert EmailAddress.objects.filter(user=admin, email=NEW).exists()
    assert AuditEvent.objects.filter(event="person.email_added").exists()
    assert UNSENT not in _text(again)
    assert [sent.to for sent in mail.outbox] == [[NEW]]


def test_a_reset_can_be_asked_for_again(
    acme: Organization, admin: User, down: None, settings: Settings
) -> None:
    _reset(admin.email)
    _up(settings)

    again = _reset(admin.email)

    assert any(sent in _text(again) for sent in SENT)
    assert "/password/reset/key/" in str(mail.outbox[0].body)


def test_a_sent_email_is_not_sent_again_so_soon(db: None) -> None:
    _sign_up(NEW)
    _sign_up(NEW)

    assert len(mail.outbox) == 1
