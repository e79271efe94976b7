"""Sign-up creates a user and an organization, or neither, and reveals nothing to strangers."""

from collections import Counter
from typing import Any, NamedTuple

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from core.text import NAME_LENGTH
from organizations.models import AuditEvent, Organization, User
from tests.factories import PASSWORD
from tests.support.domain import at_once

NEWCOMER = {
    "email": "nora@new.example",
    "password1": PASSWORD,
    "name": "Nora New",
    "organization": "New Ventures",
}


def _sign_up(**changes: str) -> Any:
    return Client(raise_request_exception=False).post("/accounts/signup/", {**NEWCOMER, **changes})


def test_whoever_gets_no_organization_is_not_made(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("The trail cannot be written.")

    monkeypatch.setattr("organizations.audit.record", refuse)
    answer = _sign_up()

    assert answer.status_code == 500
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()
    assert mail.outbox == []


def test_two_sign_ups_at_once_make_one_person(committed: None) -> None:
    answers: list[Any] = at_once([_sign_up] * 2)

    assert [(a.status_code, a["Location"]) for a in answers] == [
        (302, "/accounts/confirm-email/")
    ] * 2
    assert User.objects.count() == Organization.objects.count() == 1
    created = AuditEvent.objects.filter(event="organization.created")
    assert created.filter(target_id=Organization.objects.get().pk).count() == 1


def test_a_long_organization_name_is_refused_on_its_field(db: None) -> None:
    answer = _sign_up(organization="x" * (NAME_LENGTH + 1))

    assert list(answer.context["form"].errors) == ["organization"]
    assert not User.objects.exists()


def test_nobody_vouches_for_an_address_that_somebody_else_has_confirmed(
    acme: Organization, admin: User
) -> None:
    EmailAddress.objects.create(user=admin, email="second@acme.example", verified=True)

    with pytest.raises(ValidationError, match="This email address is already in use"):
        User.objects.create_user("Second@acme.example")

    assert not User.objects.filter(email="second@acme.example").exists()


class CountingHasher(MD5PasswordHasher):
    """Counts what it hashes, as the hasher of production takes nearly all of a sign-up's time."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        encoded: str = super().encode(password, salt)
        return encoded


class Work(NamedTuple):
    """What a sign-up cost."""

    hashed: int
    mails: int
    queries: Counter[str]


def _work_of(email: str) -> Work:
    CountingHasher.hashed = 0
    mail.outbox.clear()
    with CaptureQueriesContext(connection) as queries:
        answer = _sign_up(email=email)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm-email/")
    kinds = Counter(" ".join(query["sql"].split()[:3]) for query in queries)
    return Work(CountingHasher.hashed, len(mail.outbox), kinds)


def test_a_known_address_costs_as_much_work_as_a_new_one(admin: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    people = User.objects.count()

    new = _work_of("new@new.example")
    known = _work_of(admin.email)

    assert (known.hashed, known.mails) == (new.hashed, new.mails) == (1, 1)
    writes = [
        {kind: n for kind, n in work.queries.items() if kind.startswith(("INSERT", "UPDATE"))}
        for work in (new, known)
    ]
    assert writes[0] == writes[1]
    assert abs(new.queries.total() - known.queries.total()) <= 6, (new, known)
    assert User.objects.count() == people + 1
    assert not User.objects.filter(email__endswith=".invalid").exists()
    assert Organization.objects.count() == 1
