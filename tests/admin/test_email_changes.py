"""Staff change a user's email address, and the old address is notified."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client, TestCase

from organizations import services
from organizations.models import AuditEvent, User
from tests.admin.support import change, only_event
from tests.factories import SYSTEM, UserFactory
from tests.support.domain import nothing_written, unwritable_trail

OLD, NEW = "pat@acme.example", "pat@elsewhere.example"


@pytest.fixture
def person(db: None) -> User:
    user: User = UserFactory.create(email=OLD, name="Pat")
    return user


def _save(browser: Client, person: User, **fields: Any) -> Any:
    form = {"email": person.email, "name": person.name, "is_active": "on", **fields}
    with TestCase.captureOnCommitCallbacks(execute=True):
        return browser.post(change(person), form)


def test_the_old_address_is_told(browser: Client, person: User) -> None:
    assert _save(browser, person, email=NEW).status_code == 302

    (sent,) = mail.outbox
    assert sent.to == [OLD]
    assert sent.subject == "The email address of your Latchkey account was changed"
    assert f"from {OLD} to {NEW}." in " ".join(str(sent.body).split())


def test_so_are_other_confirmed_addresses_which_are_dropped(browser: Client, person: User) -> None:
    for address, verified in (("second@acme.example", True), ("typo@acme.example", False)):
        EmailAddress.objects.create(user=person, email=address, verified=verified)

    _save(browser, person, email=NEW)

    assert sorted(message.to[0] for message in mail.outbox) == [OLD, "second@acme.example"]
    assert [one.email for one in EmailAddress.objects.filter(user=person)] == [NEW]


def test_the_event_says_both_addresses_and_what_else_was_changed(
    browser: Client, person: User, staff: User
) -> None:
    _save(browser, person, email=NEW, name="Patricia", is_staff="on")

    assert only_event("person.updated", staff).details == {
        "fields": ["email", "name", "is_staff"],
        "email": [OLD, NEW],
        "name": ["Pat", "Patricia"],
        "is_staff": [False, True],
    }


@pytest.mark.parametrize("email", [OLD, OLD.upper(), f" {OLD} "])
def test_nobody_is_told_of_an_address_that_stays(
    email: str, browser: Client, person: User, staff: User
) -> None:
    _save(browser, person, email=email, name="Patricia")

    assert mail.outbox == []
    assert only_event("person.updated", staff).details["name"] == ["Pat", "Patricia"]


def test_a_new_person_has_no_old_address(browser: Client, db: None) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        made = User(email=NEW)
        made.set_unusable_password()
        services.save_person(made, changed=["email"], actor=SYSTEM)

    assert mail.outbox == []
    assert AuditEvent.objects.get().details == {"fields": ["email"]}


def test_a_change_without_its_event_tells_nobody(person: User) -> None:
    person.email = NEW
    with (
        TestCase.captureOnCommitCallbacks(execute=True),
        nothing_written(),
        unwritable_trail(),
        pytest.raises(Exception, match="no_event_can"),
    ):
        services.save_person(person, changed=["email"], actor=SYSTEM)

    assert mail.outbox == []
    assert User.objects.get(pk=person.pk).email == OLD
