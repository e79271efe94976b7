"""Account pages: sessions, emails about changes, and texts that replace django-allauth's."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.factories import PASSWORD, UserFactory
from tests.pages.support import grow_stale, html, sign_in
from tests.support.logs import Lines

SESSIONS = "/accounts/sessions/"


def _browser(user: User, name: str) -> Client:
    client = sign_in(user, Client(headers={"User-Agent": name}))
    client.get("/o/acme/settings/")
    return client


@pytest.mark.parametrize("others", [1, 20])
def test_the_number_of_queries_does_not_grow(acme: Organization, admin: User, others: int) -> None:
    for _ in range(others):
        _browser(admin, "Elsewhere")
    here = _browser(admin, "Here")

    with CaptureQueriesContext(connection) as queries:
        page = here.get(SESSIONS)

    assert len(page.context["sessions"]) == others + 1
    assert len(queries) == 5, [query["sql"][:100] for query in queries]


def test_sessions_that_are_over_are_not_listed(acme: Organization, admin: User) -> None:
    left, here = _browser(admin, "Left"), _browser(admin, "Here")
    left.post("/accounts/logout/")
    _browser(admin, "Still there")

    listed = [session.user_agent for session in here.get(SESSIONS).context["sessions"]]

    assert listed == ["Here", "Still there"]


def test_a_new_password_ends_the_sessions_of_the_old_one(acme: Organization, admin: User) -> None:
    other, here = _browser(admin, "Other"), _browser(admin, "Here")
    new = "quite another horse"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}

    asked = html(here.get("/accounts/password/change/"))
    told = html(here.post("/accounts/password/change/", fields, follow=True))

    assert "You stay signed in here. All other devices are signed out." in asked
    assert "Password changed. All other devices are signed out." in told
    assert other.get("/o/acme/settings/").status_code == 302
    listed = [session.user_agent for session in here.get(SESSIONS).context["sessions"]]
    assert listed == ["Here"]


def _listed(client: Client) -> dict[str, int]:
    """What one may name to end it, by the name of its browser."""
    sessions = client.get(SESSIONS).context["sessions"]
    return {session.user_agent: session.pk for session in sessions}


def _is_in(client: Client) -> bool:
    return client.get("/o/acme/settings/").status_code == 200


def test_one_session_is_ended_and_no_other(acme: Organization, admin: User, lines: Lines) -> None:
    lost, kept, here = (_browser(admin, name) for name in ("Lost", "Kept", "Here"))

    here.post(SESSIONS, {"session": _listed(here)["Lost"]})

    assert [_is_in(client) for client in (lost, kept, here)] == [False, True, True]
    assert list(_listed(here)) == ["Kept", "Here"]
    (told,) = [line for line in lines() if line["event"] == "sessions_ended"]
    assert (told["person"], told["sessions"]) == (admin.public_id, 1)


def test_there_is_a_button_for_each_but_this_one(acme: Organization, admin: User) -> None:
    _browser(admin, "Other")
    here = _browser(admin, "Here")
    page = html(here.get(SESSIONS))

    named = re.findall(r'name="session" value="(\d+)"', page)
    assert named == [str(_listed(here)["Other"])]
    assert 'aria-label="Sign out Other, signed in ' in page


@pytest.mark.parametrize("strange", ["0", "-1", "x", "\ud800", "9" * 30, "1\x00"])
def test_what_is_no_session_of_ones_own_ends_none(
    acme: Organization, admin: User, member: User, strange: str
) -> None:
    theirs, other, here = _browser(member, "Theirs"), _browser(admin, "Other"), _browser(admin, "x")

    for named in (strange, str(_listed(theirs)["Theirs"]), str(_listed(here)["x"])):
        answer = here.post(SESSIONS, {"session": named.encode("utf-8", "surrogatepass")})
        assert answer.status_code == 200
        assert "This session has already ended." in html(answer)

    assert all(_is_in(client) for client in (theirs, other, here))


@pytest.mark.parametrize("fields", [{}, {"session": "Other"}])
def test_an_old_sign_in_is_confirmed_before_sessions_are_ended(
    acme: Organization, admin: User, fields: dict[str, str]
) -> None:
    other, here = _browser(admin, "Other"), _browser(admin, "Here")
    sent = {name: _listed(here)[browser] for name, browser in fields.items()}
    grow_stale(here)

    asked = here.post(SESSIONS, sent)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert _is_in(other)

    here.post(asked["Location"], {"password": PASSWORD})
    assert not _is_in(other)
    assert _is_in(here)


CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/142.0.0.0 Safari/537.36"
)


def test_sessions_say_which_device_and_when_it_was_active(
    acme: Organization, admin: User, settings: Any
) -> None:
    settings.SESSION_IDLE_MINUTES = 120
    _browser(admin, CHROME)
    here = _browser(admin, "Here")
    used = timezone.now() - timedelta(minutes=65)
    other = UserSession.objects.get(user_agent=CHROME)
    Session.objects.filter(pk=other.session_key).update(expire_date=used + timedelta(minutes=120))

    page = html(here.get(SESSIONS))

    rows = re.findall(r"<tr .*?</tr>", page)[1:]
    assert ["Chrome on Linux" in row for row in rows] == [True, False]
    assert "1 hour ago" in rows[0]
    assert ["This device" in row for row in rows] == [False, True]
    assert "AppleWebKit" not in page


def test_without_idle_times_the_last_activity_is_unknown(
    acme: Organization, admin: User, settings: Any
) -> None:
    settings.SESSION_IDLE_MINUTES = 0
    _browser(admin, "Other")
    here = _browser(admin, "Here")

    other, current = re.findall(r"<tr .*?</tr>", html(here.get(SESSIONS)))[1:]

    assert "Unknown</td>" in other
    assert "Now</td>" in current


def test_account_pages_keep_the_frame_and_lead_back(acme: Organization, admin: User) -> None:
    browser = _browser(admin, "Here")

    for address in ("/accounts/email/", "/accounts/2fa/", SESSIONS, "/accounts/data/"):
        page = html(browser.get(address))
        assert re.search(r'<a href="/o/acme/settings/developer/">.*?Back to Acme', page), address
        assert re.search(r'<nav class="sections" aria-label="Your account">', page)
        assert "Sign out" in page


def test_account_pages_of_people_without_an_organization(db: None) -> None:
    nora = UserFactory.create(email="nora@new.example")

    page = html(sign_in(nora).get("/accounts/email/"))

    assert "nora@new.example" in page
    assert "Back to" not in page


def _actions(page: str) -> list[str]:
    return re.findall(r'name="(action_\w+)"', page)


def test_only_sensible_actions_are_offered_for_email_addresses(
    acme: Organization, admin: User
) -> None:
    browser = _browser(admin, "Here")

    alone = html(browser.get("/accounts/email/"))
    EmailAddress.objects.create(user=admin, email="second@acme.example", verified=True)
    EmailAddress.objects.create(user=admin, email="third@acme.example", verified=False)
    several = html(browser.get("/accounts/email/"))
    browser.post("/accounts/email/", {"email": "second@acme.example", "action_primary": ""})

    assert _actions(alone) == ["action_add"]
    assert _actions(several) == [
        *("action_primary", "action_remove"),
        *("action_send", "action_remove", "action_add"),
    ]
    admin.refresh_from_db()
    assert admin.email == "second@acme.example"


@pytest.mark.parametrize(
    ("address", "labels"),
    [
        (
            "/accounts/password/change/",
            ["Current password", "New password", "New password (again)"],
        ),
        ("/accounts/email/", ["New email address"]),
    ],
)
def test_labels_are_in_sentence_case_and_not_repeated(
    acme: Organization, admin: User, address: str, labels: list[str]
) -> None:
    page = html(_browser(admin, "Here").get(address))

    assert re.findall(r"<label [^>]*>([^<]+?)\s*</label>", page) == labels
    assert "placeholder" not in page


def test_a_person_without_a_password_is_not_asked_for_one(acme: Organization, admin: User) -> None:
    TOTP.activate(admin, generate_totp_secret())
    browser = Client()
    User.objects.filter(pk=admin.pk).update(password=make_password(None))
    admin.refresh_from_db()
    browser.force_login(admin)

    led = browser.get("/accounts/reauthenticate/?next=/accounts/data/", follow=True)
    page = html(led)

    assert "Enter a code from your authenticator app" in page
    assert "Use your password" not in page
    assert "confirm your password" not in page


def test_nobody_sees_the_sessions_of_others(acme: Organization, admin: User, member: User) -> None:
    _browser(member, "Theirs")

    page = _browser(admin, "Mine").get(SESSIONS)

    assert [session.user_agent for session in page.context["sessions"]] == ["Mine"]


def _mails_of(act: Any) -> list[str]:
    mail.outbox.clear()
    act()
    return [f"{message.subject}\n{message.body}" for message in mail.outbox]


def test_a_changed_password_is_told_by_mail(acme: Organization, admin: User) -> None:
    browser = _browser(admin, "Here")
    new = "quite another horse"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}

    (told,) = _mails_of(lambda: browser.post("/accounts/password/change/", fields))

    assert told.startswith("Your Latchkey password was changed\n")
    assert "Device: Here\nIP address: 127.0.0.1\n" in told
    assert re.search(r"When: \d+ \w+ \d{4}, \d\d:\d\d UTC", told)
    assert new not in told


@pytest.mark.parametrize("address", ["ada@acme.example", "nobody@acme.example"])
def test_a_reset_mail_says_what_to_do_and_where(
    acme: Organization, admin: User, address: str
) -> None:
    ask = {"email": address}

    (told,) = _mails_of(lambda: Client().post("/accounts/password/reset/", ask))

    assert "If you didn't request this, you can ignore this email." in told
    assert ("/accounts/password/reset/key/" in told) is (address == admin.email)
    assert "example.com" not in told


def test_signing_up_twice_is_told_to_the_owner_alone(acme: Organization, admin: User) -> None:
    newcomer = {"email": admin.email, "password1": PASSWORD, "organization": "Copy"}

    (told,) = _mails_of(lambda: Client().post("/accounts/signup/", newcomer))

    assert told.startswith("You already have a Latchkey account\n")
    assert "nothing has changed" in told


def test_a_change_holds_where_its_mail_cannot_be_sent(
    acme: Organization, admin: User, settings: Any
) -> None:
    browser = _browser(admin, "Here")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    new = "quite another horse"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}

    answer = browser.post("/accounts/password/change/", fields)

    assert answer.status_code == 302
    admin.refresh_from_db()
    assert admin.check_password(new)


def test_a_key_in_the_name_of_a_browser_is_not_kept(admin: User, manager: Issued) -> None:
    client = Client(headers={"User-Agent": f"probe/1 {manager.secret}"})
    sign_in(admin, client)

    listed = html(client.get("/accounts/sessions/"))

    assert "probe 1" in listed
    assert manager.secret not in listed
    assert not UserSession.objects.filter(user_agent__contains=manager.secret[13:]).exists()


@pytest.mark.parametrize("path", ["password/change/", "reauthenticate/"])
def test_a_typed_password_can_be_shown(acme: Organization, admin: User, path: str) -> None:
    shown = html(sign_in(admin).get(f"/accounts/{path}"))

    passwords = re.findall(r'<input type="password"[^>]* id="(\w+)"', shown)
    eyes = re.findall(r'aria-controls="(\w+)" data-show-password', shown)
    assert passwords
    assert passwords == eyes
    assert "js/passwords" in shown


def test_a_password_of_ones_own_is_asked_for_without_a_session(acme: Organization) -> None:
    answer = Client().get("/accounts/password/change/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
