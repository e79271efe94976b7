"""Only the user who entered an email address can confirm it. Sign-ups by others have no effect."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client

from organizations.models import AuditEvent, Organization, User
from tests.factories import PASSWORD
from tests.pages.support import html, sign_in

VICTIM = "vera@victim.example"
STRANGER = {
    "email": VICTIM,
    "password1": PASSWORD,
    "name": "Sly Stranger",
    "organization": "Strange Ventures",
}
OWN = "quite another horse"


def _signed_up() -> Client:
    """The browser of somebody who has just signed up with the victim's address."""
    client = Client(REMOTE_ADDR="203.0.113.66")
    assert client.post("/accounts/signup/", STRANGER).status_code == 302
    return client


def _link(kind: str = "confirm-email") -> str:
    """The path of the newest link that was mailed."""
    bodies = "\n".join(str(sent.body) for sent in mail.outbox)
    found: list[str] = re.findall(rf"http://testserver(/accounts/{kind}/\S+)", bodies)
    return found[-1]


def _text(answer: Any) -> str:
    body: str = html(answer)
    return body


def _lets_in(password: str, client: Client | None = None) -> bool:
    """Whether the victim's address and a password open the account."""
    client = client or Client(REMOTE_ADDR="203.0.113.99")
    client.post("/accounts/login/", {"login": VICTIM, "password": password})
    where = client.get("/")["Location"]
    return where.startswith(("/o/", "/organizations/"))


def _choose_password(client: Client, password: str) -> None:
    client.post("/accounts/password/reset/", {"email": VICTIM})
    form = client.get(_link("password/reset/key"), follow=True).redirect_chain[-1][0]
    assert client.post(form, {"password1": password, "password2": password}).status_code == 302


@pytest.mark.parametrize("guess", [None, "", "not this one"])
def test_the_link_in_another_browser_confirms_nothing_without_the_password(
    db: None, guess: str | None
) -> None:
    sent = {} if guess is None else {"password": guess}
    stranger, victim = _signed_up(), Client()

    asked = victim.get(_link())
    answer = victim.post(_link(), sent)

    assert "This was not me" in _text(asked)
    assert 'name="password"' in _text(asked)
    assert answer.status_code == 422
    assert not EmailAddress.objects.get().verified
    assert not _lets_in(PASSWORD, stranger)


def test_the_page_and_the_mail_say_who_asked_and_when(db: None) -> None:
    _signed_up()
    page, body = _text(Client().get(_link())), str(mail.outbox[-1].body)

    assert re.search(r"On <time [^>]*>\d+ \w+ \d{4}, \d\d:\d\d UTC", page)
    assert "Sly Stranger" in page
    assert re.search(r"When: \d+ \w+ \d{4}, \d\d:\d\d UTC\nFrom: 203\.0\.113\.66\n", body)
    assert "“This was not me”" in body
    assert "Sly Stranger" not in body


def test_the_session_that_signed_up_confirms_at_once(db: None) -> None:
    client = _signed_up()

    asked = client.get(_link())
    client.post(_link())

    assert 'name="password"' not in _text(asked)
    assert EmailAddress.objects.get().verified
    assert _lets_in(PASSWORD)


def test_another_browser_confirms_with_the_password(db: None) -> None:
    _signed_up()

    answer = Client().post(_link(), {"password": PASSWORD})

    assert answer.status_code == 302
    assert EmailAddress.objects.get().verified


def test_attempts_at_the_password_are_counted(db: None) -> None:
    _signed_up()
    client = Client(REMOTE_ADDR="203.0.113.77")

    for n in range(8):
        client.post(_link(), {"password": f"wrong {n}"})
    answer = client.post(_link(), {"password": PASSWORD})

    assert "Too many attempts." in _text(answer)
    assert not EmailAddress.objects.get().verified


def test_what_was_not_me_is_nobodys_way_in(db: None) -> None:
    stranger, victim = _signed_up(), Client()
    link = _link()

    told = victim.post(link, {"do": "disown"})
    stranger.post("/accounts/login/", {"login": VICTIM, "password": PASSWORD})
    confirmed = stranger.post(link, {"password": PASSWORD})

    assert "Thank you." in _text(told)
    assert confirmed.status_code != 302 or not EmailAddress.objects.get().verified
    assert not _lets_in(PASSWORD)
    event = AuditEvent.objects.get(event="person.email_disowned")
    assert (event.actor_kind, event.details) == ("system", {"email": VICTIM})
    _choose_password(victim, OWN)
    assert _lets_in(OWN, victim)
    assert not _lets_in(PASSWORD, stranger)


def test_a_reset_proves_the_mailbox_and_ends_second_factors_from_before(db: None) -> None:
    stranger, victim = _signed_up(), Client()
    TOTP.activate(User.objects.get(email=VICTIM), generate_totp_secret())

    _choose_password(victim, OWN)

    assert not Authenticator.objects.exists()
    assert EmailAddress.objects.get().verified
    assert _lets_in(OWN, victim)
    assert not _lets_in(PASSWORD, stranger)
    event = AuditEvent.objects.get(event="person.email_confirmed")
    assert event.details == {"email": VICTIM, "second_factors_removed": True}


def test_a_reset_leaves_the_second_factors_of_a_proved_mailbox(db: None) -> None:
    client = _signed_up()
    client.post(_link())
    TOTP.activate(User.objects.get(email=VICTIM), generate_totp_secret())

    _choose_password(Client(), OWN)

    assert Authenticator.objects.count() == 1
    assert not _lets_in(OWN)


def test_a_second_address_is_confirmed_by_the_account_that_added_it(
    acme: Organization, admin: User
) -> None:
    adder, victim = sign_in(admin), Client()
    adder.post("/accounts/email/", {"action_add": "", "email": VICTIM})

    asked, refused = victim.get(_link()), victim.post(_link())

    assert admin.email in _text(asked)
    assert refused.status_code == 422
    assert not EmailAddress.objects.get(email=VICTIM).verified
    assert adder.post(_link()).status_code == 302
    assert EmailAddress.objects.get(email=VICTIM).verified


def test_a_second_address_that_was_not_me_is_taken_from_the_account(
    acme: Organization, admin: User
) -> None:
    adder = sign_in(admin)
    adder.post("/accounts/email/", {"action_add": "", "email": VICTIM})

    Client().post(_link(), {"do": "disown"})

    assert not EmailAddress.objects.filter(email=VICTIM).exists()
    assert adder.get("/o/acme/settings/").status_code == 200
    assert sign_in(admin).get("/o/acme/settings/").status_code == 200


def test_a_confirmed_address_is_not_disowned_by_an_old_link(
    acme: Organization, admin: User
) -> None:
    adder = sign_in(admin)
    adder.post("/accounts/email/", {"action_add": "", "email": VICTIM})
    adder.post(_link())

    Client().post(_link(), {"do": "disown"})

    assert EmailAddress.objects.get(email=VICTIM).verified
