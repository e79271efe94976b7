"""The demo's data."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import authenticate
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db.models import F
from django.test import TestCase
from django.utils import timezone

from apikeys.management import demo_data, demo_past
from apikeys.models import ApiKey, ApiKeySecret, KeyTemplate, KeyUsage, Status
from apikeys.usage import reports
from apikeys.usage.key_request import Result
from apikeys.verification.verify import verify
from core import ids
from organizations.models import (
    AuditEvent,
    Invitation,
    Membership,
    Organization,
    ServiceAccount,
    User,
)
from tests.conftest import ALL_SCOPES
from tests.factories import IssuedKeyFactory
from tests.support.client import ApiClient
from tests.support.mails import sent

pytestmark = pytest.mark.django_db
PASSWORD = "made up for a test"


def test_nothing_is_there_before() -> None:
    assert not demo_data.is_seeded()


def test_organizations_and_people_are_there() -> None:
    demo_data.seed(PASSWORD)
    roles = Membership.objects.values_list("organization__name", "user__email", "role")

    assert demo_data.is_seeded()
    assert set(roles) >= {
        ("Acme", demo_data.ADMIN, "admin"),
        ("Acme Labs", demo_data.ADMIN, "admin"),
        ("Acme", demo_data.MEMBER, "member"),
        ("Globex", demo_data.OTHER_ADMIN, "admin"),
    }
    assert Membership.objects.filter(organization__slug="acme").count() == 7
    assert [user.email for user in User.objects.filter(is_staff=True)] == [demo_data.STAFF]


def test_only_those_whose_address_is_printed_can_sign_in() -> None:
    demo_data.seed(PASSWORD)
    known = {demo_data.ADMIN, demo_data.MEMBER, demo_data.OTHER_ADMIN, demo_data.STAFF}

    everyone = list(User.objects.values_list("email", flat=True))

    assert known < set(everyone)
    assert {who for who in everyone if authenticate(username=who, password=PASSWORD)} == known


def test_a_creator_has_left_and_invitations_are_open(mailoutbox: list[EmailMessage]) -> None:
    demo_data.seed(PASSWORD)
    now = timezone.now()
    left = [key for key in ApiKey.objects.for_pages() if vars(key)["maker_has_left"]]

    assert [(key.name, str(key.created_by)) for key in left] == [("Reporting", "Max Member")]
    days = {
        invitation.email: (invitation.expires_at - now).days
        for invitation in Invitation.objects.open()
    }
    assert set(days) == {"ops@acme.example", "finance@acme.example"}
    assert days["finance@acme.example"] < 2 < days["ops@acme.example"] < 7
    assert not mailoutbox, "they would appear in the terminal"


def test_the_past_sends_no_emails_about_keys() -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        demo_data.seed(PASSWORD)

    assert not sent(), "they would appear in the terminal"


def test_an_organization_has_no_keys_yet() -> None:
    demo_data.seed(PASSWORD)

    assert not ApiKey.objects.filter(organization__slug="acme-labs").exists()


def test_the_list_shows_the_newest_key_first_and_each_state() -> None:
    demo_data.seed(PASSWORD)
    keys = ApiKey.objects.filter(organization__slug="acme").unrevoked().order_by("-id")

    assert [key.name for key in keys] == [
        *("CI", "Contractor", "Trial", "Production", "Search box", "Nightly import", "Staging"),
        *("Forgotten", "Reporting", "Old dashboard", "Invoices", "Key automation"),
    ]


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
    secret = demo_data.seed(PASSWORD)
    outcome = verify(secret)
    page = call("GET", f"/v1/accounts/{demo_data.account_id()}/templates", key=secret)

    assert outcome.refusal is None
    assert outcome.found
    assert outcome.found.scopes == ALL_SCOPES
    assert (page.status, page.body["totalCount"]) == (200, 12)


def test_the_secret_is_not_stored() -> None:
    secret = demo_data.seed(PASSWORD)
    rows = [*ApiKey.objects.all(), *ApiKeySecret.objects.all(), *AuditEvent.objects.all()]

    assert secret not in serializers.serialize("json", rows)
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


def _trail_of(key: ApiKey) -> dict[str, AuditEvent]:
    events = AuditEvent.objects.filter(target_id=key.pk).order_by("id")
    return {event.event.removeprefix("api_key."): event for event in events}


def test_every_row_agrees_with_the_trail() -> None:
    demo_data.seed(PASSWORD)
    now = timezone.now()

    for key in ApiKey.objects.all():
        trail = _trail_of(key)
        assert trail["created"].at == key.created_at < now
        assert key.revoked_at == (trail["revoked"].at if "revoked" in trail else None)
        assert key.disabled_at == (trail["disabled"].at if "disabled" in trail else None)
        assert key.updated_at == max(event.at for event in trail.values())
    for row in [*KeyTemplate.objects.all(), *ServiceAccount.objects.all()]:
        assert AuditEvent.objects.get(target_id=row.pk).at == row.created_at
    for membership in Membership.objects.select_related("user"):
        assert membership.user.date_joined <= membership.created_at
        assert (membership.user.last_login or now) <= now


def cut_to_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_lists_are_in_the_order_of_their_times() -> None:
    demo_data.seed(PASSWORD)

    for rows, name in ((ApiKey, "created_at"), (AuditEvent, "at"), (KeyTemplate, "created_at")):
        by_id = list(rows.objects.order_by("id"))
        times = [getattr(row, name) for row in by_id]
        assert times == sorted(times)
        assert len(set(times)) > 8
        assert all(
            abs(ids.made_at(row.pk) - at).total_seconds() < 1
            for row, at in zip(by_id, times, strict=True)
        )
    page = AuditEvent.objects.filter(id__lt=ids.first_id(timezone.now() - timedelta(days=90)))
    assert 10 < page.count() < AuditEvent.objects.count(), "days can be searched for"


def test_keys_are_used_while_they_work_and_last_when_it_says() -> None:
    demo_data.seed(PASSWORD)
    now = timezone.now()

    for key in ApiKey.objects.filter(organization__slug="acme").exclude(name="CI"):
        uses = KeyUsage.objects.filter(key=key, result=Result.OK)
        end = min(filter(None, [now, key.expires_at, key.revoked_at, key.disabled_at]))
        hours = sorted(uses.values_list("hour", flat=True))
        assert key.created_at - timedelta(hours=1) < hours[0]
        assert key.last_used_at is not None
        assert hours[-1] <= key.last_used_at < min(hours[-1] + timedelta(hours=1), end)
        assert not key.secrets.filter(last_used_at__gt=key.last_used_at).exists()
        assert not key.secrets.filter(last_used_at__lt=F("created_at")).exists()
    assert ApiKey.objects.get(name="CI").last_used_at is None
    unused = reports.unused_scopes(ApiKey.objects.get(name="Production", organization__slug="acme"))
    assert unused == ["events:read", "api-keys:manage"]


def test_requests_spread_over_hours_and_weekdays() -> None:
    demo_data.seed(PASSWORD)
    keys = ApiKey.objects.for_organization(Organization.objects.get(slug="acme").id)

    day = reports.buckets(keys, reports.Period.last(24, reports.Interval.HOUR))
    weeks = reports.buckets(keys, reports.Period.last(29, reports.Interval.DAY))[:-1]

    counts = [bucket.tally.requests for bucket in day[:-1]]
    assert all(counts), "every hour of a day has a bar"
    assert max(counts) > 3 * min(counts), "nights are quiet"
    by_weekday = [0] * 7
    for bucket in weeks:
        by_weekday[bucket.start.weekday()] += bucket.tally.requests
    assert max(by_weekday[5:]) < min(by_weekday[:5]), "weekends are quieter"


def test_usage_is_the_same_each_time() -> None:
    end = datetime(2026, 11, 30, 10, 20, tzinfo=UTC)
    start = end - timedelta(days=30)

    first = list(demo_past.usage("Production", demo_past.SERVERS, start, end))

    assert first == list(demo_past.usage("Production", demo_past.SERVERS, start, end))
    assert first != list(demo_past.usage("Search box", demo_past.SERVERS, start, end))
    assert sum(number for _, _, number in first) == 1_416_888


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 30, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 29, 3, 59, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
    ],
)
def test_the_story_can_begin_at_any_moment(moment: datetime) -> None:
    with demo_past.as_of(moment):
        demo_data.seed(PASSWORD)

    assert not ApiKey.objects.filter(last_used_at__gte=moment).exists()
    assert not KeyUsage.objects.filter(hour__gt=moment).exists()
    assert AuditEvent.objects.latest("at").at < moment
