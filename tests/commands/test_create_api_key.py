"""manage.py create_api_key."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from apikeys.models import ApiKey
from apikeys.verification.verify import verify
from organizations.models import AuditEvent, Organization
from tests.conftest import ALL_SCOPES
from tests.support.domain import nothing_written

pytestmark = pytest.mark.django_db


def create(organization: object, *arguments: str, name: str = "From the shell") -> str:
    output = io.StringIO()
    common = ("--organization", str(organization), "--name", name)
    call_command("create_api_key", *common, *arguments, stdout=output)
    return output.getvalue()


def created(organization: object, *arguments: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(create(organization, *arguments, "--json"))
    return shown


def test_it_prints_the_canonical_object_with_its_secret(acme: Organization) -> None:
    shown = created("acme")
    key = ApiKey.objects.get()

    assert (shown["id"], shown["object"]) == (key.public_id, "api_key")
    assert shown["name"] == "From the shell"
    assert shown["scopes"] == ALL_SCOPES
    assert (shown["livemode"], shown["expires_at"], shown["created_by"]) == (True, None, None)
    assert shown["key"].startswith(shown["prefix"])
    assert [e.actor_label for e in AuditEvent.objects.filter(target_id=key.id)] == [
        "create_api_key"
    ]


def test_the_secret_verifies(acme: Organization) -> None:
    outcome = verify(created("acme")["key"])

    assert outcome.refusal is None
    assert outcome.found
    assert outcome.found.organization_id == acme.id


def test_without_json_it_prints_the_id_and_the_secret(acme: Organization) -> None:
    public_id, secret = create("acme").split()

    assert public_id == ApiKey.objects.get().public_id
    assert verify(secret).refusal is None


def test_the_organization_is_named_by_slug_or_either_id(acme: Organization) -> None:
    for number, text in enumerate([acme.slug, acme.public_id, str(acme.id)]):
        create(text, name=f"Key {number}")

    assert ApiKey.objects.for_organization(acme.id).count() == 3


def test_scopes_environment_and_expiry_can_be_chosen(acme: Organization) -> None:
    expires_at = f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    scopes = ("--scope", "search:read", "--scope", "events:read")
    shown = created("acme", *scopes, "--environment", "test", "--expires-at", expires_at)

    assert shown["scopes"] == ["search:read", "events:read"]
    assert shown["key"].startswith("sig_test_")
    assert shown["expires_at"] == expires_at


@pytest.mark.parametrize(
    ("organization", "arguments", "sentence"),
    [
        ("globex", [], "Unknown organization “globex”. Use its slug or ID."),
        ("org_0000000000000000000000", [], "Unknown organization"),
        ("acme", ["--scope", "everything"], "Unknown scope. Available scopes: "),
        ("acme", ["--scope", "search:read", "--scope", "search:read"], "is given twice"),
        ("acme", ["--expires-at", "tomorrow"], "Give a date and time with a time zone"),
        ("acme", ["--expires-at", "2027-01-31T12:00:00"], "Give a date and time with a time zone"),
        ("acme", ["--expires-at", "2001-01-31T12:00:00Z"], "more than 60 seconds from now"),
        ("acme", ["--environment", "prod"], "invalid choice"),
    ],
)
def test_refusals_are_sentences_and_leave_nothing(
    organization: str, arguments: list[str], sentence: str, acme: Organization
) -> None:
    with pytest.raises(CommandError, match=sentence):
        create(organization, *arguments)

    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "--name"), ("n" * 101, "Use 100 characters or fewer"), ("From\nthe", "Remove")],
)
def test_a_name_that_is_none_is_refused(name: str, sentence: str, acme: Organization) -> None:
    with pytest.raises(CommandError, match=sentence):
        create("acme", name=name)


def test_a_taken_name_is_refused(acme: Organization) -> None:
    create("acme")

    with pytest.raises(CommandError, match=r"already exists\. Choose another name\."):
        create("acme", name="FROM THE SHELL")


def test_at_the_limit_of_keys_no_other_is_made(acme: Organization, settings: Settings) -> None:
    settings.KEYS_PER_ORGANIZATION = 2
    create("acme", name="One")
    create("acme", name="Two")

    with (
        nothing_written(),
        pytest.raises(CommandError, match=r"has reached its limit of 2 keys\. Delete one"),
    ):
        create("acme", name="Three")
