"""Staff restore or remove a user's access without learning a password."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from organizations.models import AuditEvent, User
from tests.admin.conftest import BrowserOf
from tests.admin.support import act, change, everything, messages, only_event, text
from tests.factories import PASSWORD, UserFactory
from tests.pages.support import sign_in
from tests.support.logs import Lines

Do = Callable[..., Any]
NEW_PASSWORD = f"{PASSWORD} anew"
ACTIONS = ("send_password_link", "end_sessions", "remove_second_factors")
SIGNED_IN_ONLY = "/accounts/sessions/"


@pytest.fixture
def do(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Do:
    """Chooses an action, and lets happen what waits for the commit: the mails."""

    def run(browser: Client, action: str, *rows: User) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return act(browser, action, *rows)

    return run


@pytest.fixture
def person(db: None) -> User:
    return UserFactory.create(email="pat@acme.example", name="Pat")


def _give_factors(person: User) -> None:
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)


def _link() -> str:
    (told,) = mail.outbox
    assert told.to == ["pat@acme.example"]
    found = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(told.body))
    assert found
    return found[1]


def _choose(link: str) -> Client:
    client = Client()
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    return client


@pytest.mark.parametrize("before", [PASSWORD, None])
def test_a_link_lets_people_choose_a_password(
    do: Do, browser: Client, staff: User, person: User, lines: Lines, before: str | None
) -> None:
    person.set_password(before)
    person.save()

    answer = do(browser, "send_password_link", person)

    assert messages(answer) == ["Emailed links: 1."]
    assert only_event("person.password_link_sent", staff).target_id == person.pk
    person.refresh_from_db()
    assert person.has_usable_password() is bool(before)
    link = _link()
    _choose(link)
    person.refresh_from_db()
    assert person.check_password(NEW_PASSWORD)
    for shown in (text(answer), str(lines()), str(list(AuditEvent.objects.values()))):
        assert link.strip("/").rsplit("/", 1)[1] not in shown


def test_the_link_works_once(do: Do, browser: Client, person: User) -> None:
    do(browser, "send_password_link", person)
    link = _link()
    _choose(link)

    again = Client().get(link, follow=True)

    assert 'name="password1"' not in text(again)


def test_who_is_deactivated_gets_no_link(do: Do, browser: Client, person: User) -> None:
    person.is_active = False
    person.save()
    before = everything()

    answer = do(browser, "send_password_link", person)

    assert messages(answer) == ["Pat: They are deactivated."]
    assert not mail.outbox
    assert everything() == before


def test_people_are_signed_out_everywhere(
    do: Do, browser: Client, staff: User, person: User, admin: User
) -> None:
    theirs, other = [sign_in(person), sign_in(person)], sign_in(admin)

    answer = do(browser, "end_sessions", person)

    assert messages(answer) == ["Signed-out users: 1."]
    assert [client.get(SIGNED_IN_ONLY).status_code for client in theirs] == [302, 302]
    assert other.get(SIGNED_IN_ONLY).status_code == 200
    assert only_event("person.sessions_ended", staff).target_id == person.pk
    assert sign_in(person).get(SIGNED_IN_ONLY).status_code == 200


def test_lost_second_factors_are_removed_and_the_person_is_told(
    do: Do, browser: Client, staff: User, person: User, admin: User
) -> None:
    _give_factors(person)
    _give_factors(admin)

    do(browser, "remove_second_factors", person)

    assert set(Authenticator.objects.values_list("user", flat=True)) == {admin.pk}
    event = only_event("person.second_factors_removed", staff)
    assert (event.target_id, event.details) == (person.pk, {"kinds": ["recovery_codes", "totp"]})
    (told,) = mail.outbox
    assert told.to == ["pat@acme.example"]
    assert told.subject == ("Two-factor authentication was removed from your Latchkey account")
    assert sign_in(person).get(SIGNED_IN_ONLY).status_code == 200


def test_where_there_is_none_nobody_is_told(do: Do, browser: Client, person: User) -> None:
    before = everything()

    do(browser, "remove_second_factors", person)

    assert not mail.outbox
    assert everything() == before


def test_second_factors_are_removed_from_one_person_at_a_time(
    do: Do, browser: Client, person: User, admin: User
) -> None:
    _give_factors(person)
    before = everything()

    answer = do(browser, "remove_second_factors", person, admin)

    assert messages(answer) == ["Choose one person at a time."]
    assert Authenticator.objects.filter(user=person).count() == 2
    assert everything() == before


def test_the_page_says_what_a_person_has(browser: Client, person: User) -> None:
    without = text(browser.get(change(person)))
    assert re.search(r"Two-factor authentication:.*?Off", without)
    _give_factors(person)

    assert "Recovery codes, TOTP Authenticator" in text(browser.get(change(person)))


@pytest.mark.parametrize("powers", [{"is_staff": True}, {"is_superuser": True}])
@pytest.mark.parametrize("action", ACTIONS)
def test_only_a_superuser_does_it_to_other_staff(
    do: Do, clerk_with: BrowserOf, action: str, powers: dict[str, bool]
) -> None:
    colleague = UserFactory.create(name="Col", **powers)
    _give_factors(colleague)
    session = sign_in_with_codes(colleague)
    browser = clerk_with("view_user", "change_user")
    before = everything()

    answer = do(browser, action, colleague)

    assert messages(answer) == ["Col: Only a superuser can do this to other staff."]
    assert session.get(SIGNED_IN_ONLY).status_code == 200
    assert Authenticator.objects.filter(user=colleague).count() == 2
    assert not mail.outbox
    assert everything() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_whoever_may_only_look_does_nothing(
    do: Do, clerk_with: BrowserOf, person: User, action: str
) -> None:
    _give_factors(person)
    session, browser = sign_in_with_codes(person), clerk_with("view_user")
    before = everything()

    do(browser, action, person)

    assert session.get(SIGNED_IN_ONLY).status_code == 200
    assert Authenticator.objects.filter(user=person).count() == 2
    assert not mail.outbox
    assert everything() == before


def sign_in_with_codes(person: User) -> Client:
    """A browser of somebody who has a second factor."""
    client = sign_in(person)
    codes = Authenticator.objects.get(user=person, type=Authenticator.Type.RECOVERY_CODES)
    client.post("/accounts/2fa/authenticate/", {"code": codes.wrap().get_unused_codes()[0]})
    return client
