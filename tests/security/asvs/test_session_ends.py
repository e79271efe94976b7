"""A session expires when idle, and in any case some days after the sign-in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from time_machine import Traveller

from organizations.models import Organization, User
from organizations.signin.session_store import SIGNED_IN_AT, SessionStore, _note_use
from tests.factories import PASSWORD
from tests.pages.support import sign_in

PAGE = "/o/acme/settings/"
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """Stands still at noon until it is shifted."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def browser(acme: Organization, admin: User, clock: Traveller) -> Client:
    """The admin has signed in at noon, for longer than the browser is open, and seen a page."""
    client = sign_in(admin)
    client.get(PAGE)
    return client


def _is_in(client: Client) -> bool:
    status = client.get(PAGE).status_code
    assert status in (200, 302)
    return status == 200


def _writes(queries: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in queries if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


@pytest.mark.parametrize(("minutes", "stays"), [(12 * 60 - 1, True), (12 * 60, False)])
def test_it_ends_when_nobody_uses_it(
    browser: Client, clock: Traveller, minutes: int, stays: bool
) -> None:
    clock.shift(timedelta(minutes=minutes))

    assert _is_in(browser) is stays


def test_it_lives_on_while_it_is_used(browser: Client, clock: Traveller) -> None:
    for _ in range(4):
        clock.shift(10 * HOUR)
        assert _is_in(browser)


def test_it_ends_two_weeks_after_the_sign_in_however_it_is_used(
    browser: Client, clock: Traveller
) -> None:
    for _ in range(14 * 24 // 6 - 1):
        clock.shift(6 * HOUR)
        assert _is_in(browser)
    session = browser.session
    session["a write"] = "does not move the end"
    session.save()

    clock.shift(6 * HOUR)

    assert not _is_in(browser)


def test_confirming_who_one_is_does_not_make_it_longer(browser: Client, clock: Traveller) -> None:
    began = browser.session[SIGNED_IN_AT]
    clock.shift(6 * HOUR)

    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert browser.session[SIGNED_IN_AT] == began


def test_a_new_sign_in_counts_anew(browser: Client, admin: User, clock: Traveller) -> None:
    browser.post("/accounts/logout/")
    clock.shift(6 * HOUR)

    sign_in(admin, browser)

    assert browser.session[SIGNED_IN_AT] == int((NOON + 6 * HOUR).timestamp())


def test_both_times_are_settings(
    browser: Client, admin: User, clock: Traveller, settings: Settings
) -> None:
    settings.SESSION_IDLE_MINUTES = 30
    clock.shift(HOUR)
    assert _is_in(browser)  # used for the first time since it became shorter
    clock.shift(HOUR / 2)
    assert not _is_in(browser)

    settings.SESSION_IDLE_MINUTES, settings.SESSION_COOKIE_AGE = 0, 24 * 60 * 60
    client = sign_in(admin)
    clock.shift(24 * HOUR - timedelta(seconds=1))
    assert _is_in(client)
    clock.shift(timedelta(seconds=1))
    assert not _is_in(client)


def test_uses_are_written_now_and_then_and_alone(browser: Client, clock: Traveller) -> None:
    clock.shift(HOUR)
    with CaptureQueriesContext(connection) as soon:
        browser.get(PAGE)
    clock.shift(timedelta(minutes=1))
    with CaptureQueriesContext(connection) as later:
        browser.get(PAGE)
        browser.get(PAGE)

    assert _writes(soon) == []
    (write,) = _writes(later)
    assert "expire_date" in write
    assert "session_data" not in write


def test_a_use_undoes_nothing_that_was_written_meanwhile(browser: Client, clock: Traveller) -> None:
    clock.shift(2 * HOUR)
    read = Session.objects.get(pk=browser.session.session_key)
    writer = SessionStore(read.pk)
    writer["seen"] = "by another request"
    writer.save()
    Session.objects.filter(pk=read.pk).update(expire_date=read.expire_date)

    _note_use(read, read.get_decoded())

    assert SessionStore(read.pk)["seen"] == "by another request"
    assert Session.objects.get(pk=read.pk).expire_date == NOON + 14 * HOUR


def test_one_from_before_is_counted_from_its_next_use(browser: Client, clock: Traveller) -> None:
    session = browser.session
    del session[SIGNED_IN_AT]
    row = Session.objects.get(pk=session.session_key)
    row.session_data, row.expire_date = session.encode(dict(session)), NOON + 14 * 24 * HOUR
    row.save()
    clock.shift(24 * HOUR)

    assert _is_in(browser)
    assert browser.session[SIGNED_IN_AT] == int((NOON + 24 * HOUR).timestamp())
    clock.shift(12 * HOUR)
    assert not _is_in(browser)


def test_the_cookie_lasts_no_longer_than_the_session_may(
    acme: Organization, admin: User, clock: Traveller
) -> None:
    client = Client()
    fields = {"login": admin.email, "password": PASSWORD, "remember": "on"}
    client.post("/accounts/login/", fields)
    assert client.cookies["sessionid"]["max-age"] == 14 * 24 * 60 * 60
    clock.shift(6 * HOUR)

    client.get(PAGE)  # notes the organization, and so sends the cookie again

    assert client.cookies["sessionid"]["max-age"] == (14 * 24 - 6) * 60 * 60


def test_those_of_nobody_live_as_before(clock: Traveller, db: None) -> None:
    store = SessionStore()
    store["invitation"] = "kept until somebody has an account"
    store.save()
    clock.shift(13 * 24 * HOUR)

    assert SessionStore(store.session_key)["invitation"]


def test_whoever_only_reads_can_while_the_database_takes_no_writes(
    browser: Client, clock: Traveller
) -> None:
    clock.shift(2 * HOUR)
    with connection.cursor() as cursor:
        cursor.execute(_REFUSE[connection.vendor][0])
        try:
            assert _is_in(browser)
        finally:
            cursor.execute(_REFUSE[connection.vendor][1])
    assert Session.objects.get(pk=browser.session.session_key).expire_date == NOON + 12 * HOUR


#: How a database refuses to move the end of a session, and how it stops refusing.
_REFUSE = {
    "sqlite": (
        "CREATE TRIGGER full BEFORE UPDATE ON django_session BEGIN SELECT RAISE(ABORT, '!'); END",
        "DROP TRIGGER full",
    ),
    "postgresql": (
        "ALTER TABLE django_session ADD CONSTRAINT full_disk CHECK (false) NOT VALID",
        "ALTER TABLE django_session DROP CONSTRAINT full_disk",
    ),
}
