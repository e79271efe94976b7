"""manage.py create_organization."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from organizations.models import AuditEvent, Membership, Organization, User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    output = io.StringIO()
    call_command("create_organization", *arguments, stdout=output)
    return output.getvalue()


def created(*arguments: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(create(*arguments, "--json"))
    return shown


def test_it_makes_the_organization_and_its_admin() -> None:
    shown = created("Acme Ltd.", "--admin-email", "Ada@Acme.example")
    organization = Organization.objects.get()
    membership = Membership.objects.get()

    assert shown["id"] == str(organization.id)
    assert shown["public_id"] == organization.public_id
    assert (shown["slug"], shown["admin_email"]) == ("acme-ltd", "ada@acme.example")
    assert (membership.user.email, membership.role) == ("ada@acme.example", "admin")
    assert [e.actor_label for e in AuditEvent.objects.all()] == ["create_organization"]


def test_a_generated_password_works_and_differs_each_time() -> None:
    first = created("Acme", "--admin-email", "ada@acme.example")["admin_password"]
    second = created("Globex", "--admin-email", "gina@globex.example")["admin_password"]

    assert first != second
    assert authenticate(username="ada@acme.example", password=first)
    assert not authenticate(username="ada@acme.example", password=second)


def test_a_given_password_works() -> None:
    shown = created("Acme", "--admin-email", "ada@acme.example", "--admin-password", PASSWORD)

    assert shown["admin_password"] == PASSWORD
    assert authenticate(username="ada@acme.example", password=PASSWORD)


def test_without_json_it_prints_a_line_for_each_value() -> None:
    lines = create("Acme", "--admin-email", "ada@acme.example").splitlines()

    shown = dict(line.split(": ", 1) for line in lines)
    assert shown["public_id"] == Organization.objects.get().public_id
    assert authenticate(username=shown["admin_email"], password=shown["admin_password"])


def test_an_admin_of_another_organization_keeps_their_password(admin: User) -> None:
    shown = created("Second", "--admin-email", admin.email.upper())

    assert shown["admin_password"] is None
    assert authenticate(username=admin.email, password=PASSWORD)
    assert User.objects.count() == 1


def test_the_same_name_twice_gets_another_slug() -> None:
    first = created("Acme", "--admin-email", "ada@acme.example")
    second = created("Acme", "--admin-email", "ada@acme.example")

    assert first["slug"] == "acme"
    assert second["slug"].startswith("acme-")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["", "--admin-email", "a@acme.example"], "argument name: the value is empty"),
        (["n" * 101, "--admin-email", "a@acme.example"], "Use 100 characters or fewer."),
        (["a" + "\u0315\u0300" * 9_000, "--admin-email", "a@acme.example"], "Use 100 characters"),
        (
            ["Acme", "--admin-email", "a@acme.example", "--admin-password", "x" * 1001],
            "Use a password of 1000 characters or fewer.",
        ),
        (["A\u202ecme", "--admin-email", "a@acme.example"], "Remove the control"),
        (["Acme", "--admin-email", "nobody"], "Enter an email address like name@example.com."),
        (["Acme", "--admin-email", ""], "argument --admin-email: the value is empty"),
        (["Acme"], "--admin-email"),
    ],
)
def test_refusals_are_sentences_and_leave_nothing(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        create(*arguments)

    assert not Organization.objects.exists()
    assert not User.objects.exists()


def test_a_password_for_somebody_who_has_one_is_refused(admin: User) -> None:
    with pytest.raises(CommandError, match="Omit --admin-password"):
        create("Acme", "--admin-email", admin.email, "--admin-password", "another one")

    assert authenticate(username=admin.email, password=PASSWORD)
    assert not Organization.objects.exists()


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("1", "too short"),
        ("password1234", "too common"),
        ("latchkey-1", "easy to guess here"),
        ("fisherking-and-sons-1", "too similar to the e-mail address"),
        ("globextrot-1", "easy to guess here"),
    ],
)
def test_a_password_that_the_pages_refuse_is_refused(password: str, sentence: str) -> None:
    email = "fisherking-and-sons@acme.example"
    with pytest.raises(CommandError, match=sentence) as refusal:
        create("Globextrot", "--admin-email", email, "--admin-password", password)

    assert password == "1" or password not in str(refusal.value)
    assert not Organization.objects.exists()
    assert not User.objects.exists()
