"""Deactivated users are signed out. Reactivation restores no session."""

from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from organizations import services
from organizations.models import User
from tests.admin.support import change
from tests.factories import SYSTEM, UserFactory
from tests.pages.support import sign_in

SIGNED_IN_ONLY = "/accounts/sessions/"
Switch = Callable[[Client, User, bool], None]


@pytest.fixture
def person(db: None) -> User:
    return UserFactory.create(email="pat@acme.example", name="Pat")


def on_the_page(browser: Client, person: User, active: bool) -> None:
    form = {"email": person.email, "name": person.name, **({"is_active": "on"} if active else {})}
    assert browser.post(change(person), form).status_code == 302


def by_the_service(browser: Client, person: User, active: bool) -> None:
    person = User.objects.get(pk=person.pk)
    person.is_active = active
    services.save_person(person, changed=["is_active"], actor=SYSTEM)


def in_the_shell(browser: Client, person: User, active: bool) -> None:
    script = (
        "from organizations.models import User;"
        f"user = User.objects.get(email={person.email!r});"
        f"user.is_active = {active}; user.save(update_fields=['is_active'])"
    )
    call_command("shell", command=script, verbosity=0)


every_way = pytest.mark.parametrize("switch", [on_the_page, by_the_service, in_the_shell])


def is_in(client: Client) -> bool:
    return client.get(SIGNED_IN_ONLY).status_code == 200


@every_way
def test_a_session_from_before_a_deactivation_never_works_again(
    browser: Client, person: User, admin: User, switch: Switch
) -> None:
    theirs, other = [sign_in(person), sign_in(person)], sign_in(admin)
    keys = [client.session.session_key for client in theirs]

    switch(browser, person, False)
    assert not Session.objects.filter(session_key__in=keys).exists()
    switch(browser, person, True)

    assert [is_in(client) for client in theirs] == [False, False]
    assert not UserSession.objects.filter(user=person).exists()
    assert is_in(other)
    assert is_in(browser)
    assert is_in(sign_in(person))


@every_way
def test_what_a_deactivation_in_sql_has_left_ends_with_the_reactivation(
    browser: Client, person: User, switch: Switch
) -> None:
    theirs = sign_in(person)
    User.objects.filter(pk=person.pk).update(is_active=False)

    switch(browser, person, True)

    assert not is_in(theirs)


@every_way
def test_a_change_that_fails_signs_nobody_out(
    browser: Client, person: User, switch: Switch
) -> None:
    theirs = sign_in(person)

    with pytest.raises(RuntimeError):
        _fail_after(lambda: switch(browser, person, False))

    assert is_in(theirs)


def _fail_after(change_it: Callable[[], None]) -> None:
    with transaction.atomic():
        change_it()
        raise RuntimeError


def test_other_changes_sign_nobody_out(browser: Client, person: User) -> None:
    theirs = sign_in(person)

    on_the_page(browser, User(id=person.id, email=person.email, name="Patricia"), True)

    assert User.objects.get(pk=person.pk).name == "Patricia"
    assert is_in(theirs)
