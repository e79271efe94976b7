"""Signing up: a person and their organization, both or neither, and nothing told to strangers."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from organizations.models import AuditEvent, Organization, User
from organizations.text import NAME_LENGTH
from tests.domain import at_once
from tests.factories import PASSWORD

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
    assert AuditEvent.objects.filter(event="organization.created").count() == 1


def test_a_long_organization_name_is_refused_on_its_field(db: None) -> None:
    answer = _sign_up(organization="x" * (NAME_LENGTH + 1))

    assert list(answer.context["form"].errors) == ["organization"]
    assert not User.objects.exists()


def test_nobody_vouches_for_an_address_that_somebody_else_has_confirmed(
    acme: Organization, admin: User
) -> None:
    EmailAddress.objects.create(user=admin, email="second@acme.example", verified=True)

    with pytest.raises(ValidationError, match="Somebody has this e-mail address already"):
        User.objects.create_user("Second@acme.example")

    assert not User.objects.filter(email="second@acme.example").exists()
