import json
from collections.abc import Callable

import pytest
from django.contrib.auth import authenticate
from django.core import serializers
from django.core.exceptions import ValidationError
from django.utils import timezone

from apikeys import verification
from apikeys.management import demo_data
from apikeys.models import ApiKey, ApiKeySecret, KeyTemplate, Status
from organizations.models import AuditEvent, Membership, Organization, ServiceAccount, User
from tests.client import ApiClient
from tests.conftest import ALL_SCOPES
from tests.factories import IssuedKeyFactory

pytestmark = pytest.mark.django_db
PASSWORD = "made up for a test"


def test_nothing_is_there_before() -> None:
    assert not demo_data.is_seeded()


def test_organizations_and_people_are_there() -> None:
    demo_data.seed(PASSWORD)
    roles = Membership.objects.values_list("organization__name", "user__email", "role")

    assert demo_data.is_seeded()
    assert set(roles) == {
        ("Acme", demo_data.ADMIN, "admin"),
        ("Acme", demo_data.MEMBER, "member"),
        ("Globex", demo_data.OTHER_ADMIN, "admin"),
    }
    assert all(authenticate(username=user.email, password=PASSWORD) for user in User.objects.all())
    assert [user.email for user in User.objects.filter(is_staff=True)] == [demo_data.STAFF]


def test_acme_has_twelve_templates_and_a_key_in_each_state() -> None:
    demo_data.seed(PASSWORD)
    acme = Organization.objects.get(slug="acme")
    keys = ApiKey.objects.for_organization(acme.id)

    assert KeyTemplate.objects.for_organization(acme.id).count() == 12
    assert {key.status for key in keys} == set(Status)
    assert {key.environment for key in keys} == {"live", "test"}
    assert ApiKeySecret.objects.overlapping(timezone.now()).exists()
    assert keys.exclude(service_account=None).exists()
    assert ServiceAccount.objects.exists()


def test_the_shown_secret_opens_everything_of_acme(call: ApiClient) -> None:
    demo = demo_data.seed(PASSWORD)
    outcome = verification.verify(demo.secret)
    page = call("GET", f"/v1/accounts/{demo.account_id}/templates", key=demo.secret)

    assert outcome.refusal is None
    assert outcome.found
    assert outcome.found.scopes == ALL_SCOPES
    assert (page.status, page.body["totalCount"]) == (200, 12)


def test_the_secret_is_neither_shown_by_repr_nor_kept() -> None:
    demo = demo_data.seed(PASSWORD)
    rows = [*ApiKey.objects.all(), *ApiKeySecret.objects.all(), *AuditEvent.objects.all()]

    assert demo.secret not in repr(demo)
    assert demo.secret not in serializers.serialize("json", rows)
    assert PASSWORD not in json.dumps(list(User.objects.values_list("password", flat=True)))


def test_seeding_happens_whole_or_not_at_all(events: Callable[..., list[AuditEvent]]) -> None:
    User.objects.create_user(demo_data.STAFF, PASSWORD)

    with pytest.raises(ValidationError):
        demo_data.seed(PASSWORD)

    assert not demo_data.is_seeded()
    assert User.objects.count() == 1
    assert not Organization.objects.exists()
    assert not events()


def test_the_shown_password_works_even_when_the_secrets_were_made_anew() -> None:
    demo_data.seed(PASSWORD)

    demo_data.renew_password("another one, made up for a test")

    password = "another one, made up for a test"
    people = [demo_data.ADMIN, demo_data.MEMBER, demo_data.OTHER_ADMIN, demo_data.STAFF]
    assert all(authenticate(username=email, password=password) for email in people)


def test_the_name_that_is_proposed_for_another_key_is_free() -> None:
    demo_data.seed(PASSWORD)
    acme = Organization.objects.get(slug="acme")

    first = demo_data.free_name()
    IssuedKeyFactory.create(organization=acme, name=first)

    assert (first, demo_data.free_name()) == ("Another 1", "Another 2")
