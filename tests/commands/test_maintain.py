"""manage.py maintain removes data after the retention periods of the settings."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from apikeys import services as key_services
from apikeys.models import ApiKeySecret, KeyUsage, Submission
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core import transactions
from core.triggers import Trigger, install, remove
from organizations import services
from organizations.models import AuditEvent, Organization, User
from organizations.roles import Role
from tests.factories import SYSTEM
from tests.pages.support import developer, sign_in, submission_of
from tests.support.domain import acting, person

AGO = {days: timezone.now() - timedelta(days=days) for days in (29, 31, 364, 366, 399, 401)}


def maintain(*options: str) -> str:
    output = StringIO()
    call_command("maintain", *options, stdout=output, stderr=output)
    return output.getvalue()


def _rename_at(acme: Organization, admin: User, name: str, days: int) -> AuditEvent:
    with time_machine.travel(AGO[days], tick=False):
        services.rename_organization(acme, name=name, actor=person(admin))
    return AuditEvent.objects.latest("number")


def test_old_addresses_go_and_events_stay(
    acme: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("organizations.services.retention.BATCH", 2)
    old = [_rename_at(acme, admin, f"Acme {n}", 366) for n in range(3)]
    new = _rename_at(acme, admin, "Acme", 364)
    kept = list(AuditEvent.objects.order_by("number").values("number", "event", "actor_label"))

    output = maintain()

    assert "audit events with an IP address or a user agent: 3 removed." in output
    for event in old:
        event.refresh_from_db()
        assert (event.ip, event.user_agent, event.actor_label) == (None, "", "Ada Acme")
    new.refresh_from_db()
    assert new.ip
    assert new.user_agent
    assert list(AuditEvent.objects.order_by("number").values(*kept[0]))[: len(kept)] == kept
    noted = AuditEvent.objects.filter(event="trail.addresses_erased")
    assert sorted(event.details["events"] for event in noted) == [1, 2]


@pytest.fixture
def newcomer() -> User:
    """Somebody who signed up and has not confirmed the address."""
    form = {
        "email": "nora@new.example",
        "name": "Nora New",
        "password1": "correct horse staple",  # pragma: allowlist secret
        "organization": "Nora's",
    }
    Client().post(reverse("account_signup"), form)
    user: User = User.objects.get(email="nora@new.example")
    assert not EmailAddress.objects.filter(verified=True, user=user).exists()
    return user


def _joined(user: User, days: int) -> None:
    User.objects.filter(pk=user.pk).update(date_joined=AGO[days])


@pytest.mark.django_db
def test_a_sign_up_that_was_never_confirmed_goes_with_its_organization(newcomer: User) -> None:
    _joined(newcomer, 31)

    assert "sign-ups that were never confirmed: 1 removed." in maintain()

    assert not User.objects.exists()
    assert not Organization.objects.exists()
    trail = str(list(AuditEvent.objects.values()))
    assert "Nora New" not in trail
    assert "nora@" not in trail
    events = AuditEvent.objects.order_by("number").values_list("event", flat=True)
    assert list(events) == ["organization.created", "person.unconfirmed_removed"]
    connection.check_constraints()


@pytest.mark.django_db
@pytest.mark.parametrize("why", ["young", "confirmed", "used", "invited", "vouched for"])
def test_everyone_else_stays(newcomer: User, why: str) -> None:
    _joined(newcomer, 29 if why == "young" else 31)
    organization = Organization.objects.get()
    if why == "confirmed":
        EmailAddress.objects.update(verified=True)
    if why == "used":
        key_services.create_api_key(
            organization=organization, actor=SYSTEM, name="Key", scopes=["search:read"]
        )
    if why == "invited":
        services.invite(
            organization, email="x@new.example", role=Role.MEMBER, link=str, actor=SYSTEM
        )
    if why == "vouched for":
        newcomer.mark_email_verified()

    maintain()

    assert User.objects.filter(pk=newcomer.pk).exists()
    assert Organization.objects.filter(pk=organization.pk).exists()


def test_sessions_that_have_ended_go_with_their_addresses(admin: User, acme: Organization) -> None:
    kept, ended = sign_in(admin), sign_in(admin)
    Session.objects.filter(pk=ended.session.session_key).update(expire_date=AGO[29])
    UserSession.objects.update(created_at=AGO[29])

    maintain()

    assert [row.pk for row in Session.objects.all()] == [kept.session.session_key]
    assert [row.session_key for row in UserSession.objects.all()] == [kept.session.session_key]
    assert kept.get("/accounts/sessions/").status_code == 200


def test_ended_secrets_go_and_current_ones_stay(reader: Issued, manager: Issued) -> None:
    rotated = key_services.rotate_api_key(
        reader.key, actor=acting(manager), force=True, grace_period=timedelta(0)
    )
    again = key_services.rotate_api_key(
        reader.key, actor=acting(manager), force=True, grace_period=timedelta(0)
    )
    with transactions.allowed():
        first = ApiKeySecret.objects.filter(key=reader.key).order_by("id").first()
        assert first
        ApiKeySecret.objects.filter(pk=first.pk).update(ends_at=AGO[401])

    assert "ended secrets: 1 removed." in maintain()

    assert verify(again.secret).refusal is None
    assert verify(rotated.secret).refusal is Refusal.ROTATED
    assert verify(reader.secret).refusal is Refusal.UNKNOWN


def test_forms_and_calls_that_were_sent_go(acme: Organization, admin: User) -> None:
    browser, page = sign_in(admin), developer(acme, "keys/create/")
    for name in ("Old", "New"):
        browser.post(page, {"submission": submission_of(browser.get(page)), "name": name})
    secrets = {s.key.name: s for s in ApiKeySecret.objects.select_related("key")}
    with transactions.allowed():
        Submission.objects.filter(secret=secrets["Old"]).update(created_at=AGO[31])
        Submission.objects.create(digest=b"c" * 32, request=b"r" * 32, secret=secrets["New"])
        Submission.objects.filter(digest=b"c" * 32).update(created_at=AGO[29])

    output = maintain()

    assert "Idempotency-Keys: 1 removed." in output
    assert "sent forms: 1 removed." in output
    assert [one.secret for one in Submission.objects.all()] == [secrets["New"]]


def test_old_usage_goes(reader: Issued) -> None:
    for days in (399, 401):
        KeyUsage.objects.create(key=reader.key, hour=AGO[days], result="ok", requests=1)

    assert "rows of usage: 1 removed." in maintain()

    assert [row.hour for row in KeyUsage.objects.all()] == [AGO[399]]


@pytest.fixture
def much_to_do(acme: Organization, admin: User, newcomer: User, reader: Issued) -> None:
    _rename_at(acme, admin, "Acme Inc.", 366)
    _joined(newcomer, 31)
    KeyUsage.objects.create(key=reader.key, hour=AGO[401], result="ok", requests=1)


def _left() -> dict[str, int]:
    addresses = AuditEvent.objects.filter(at__lt=AGO[364]).exclude(ip=None)
    return {
        "people": User.objects.filter(email="nora@new.example").count(),
        "addresses": addresses.count(),
        "usage": KeyUsage.objects.count(),
    }


def test_a_dry_run_counts_and_removes_nothing(much_to_do: None) -> None:
    output = maintain("--dry-run")

    assert "sign-ups that were never confirmed: 1 would be removed." in output
    assert "rows of usage: 1 would be removed." in output
    assert _left() == {"people": 1, "addresses": 1, "usage": 1}


def test_nought_keeps_for_good(much_to_do: None, settings: Settings) -> None:
    settings.RETENTION_ADDRESS_DAYS = settings.RETENTION_USAGE_DAYS = 0
    settings.RETENTION_UNCONFIRMED_DAYS = 0

    output = maintain()

    assert "rows of usage: kept forever (RETENTION_USAGE_DAYS=0)." in output
    assert _left() == {"people": 1, "addresses": 1, "usage": 1}


def test_one_kind_that_fails_stops_no_other(much_to_do: None) -> None:
    broken = Trigger(
        name="usage_stays", table="apikeys_keyusage", events=("DELETE",), condition="TRUE"
    )
    install(connection, [broken])
    try:
        with pytest.raises(
            CommandError, match=r"Failed: rows of usage\. All other steps succeeded\."
        ):
            maintain()
    finally:
        remove(connection, [broken])

    assert _left() == {"people": 0, "addresses": 0, "usage": 1}


def test_a_second_run_finds_nothing(much_to_do: None) -> None:
    maintain()
    events = AuditEvent.objects.count()

    numbers = [line.rpartition(": ")[2] for line in maintain().splitlines()]

    assert set(numbers) == {"0 removed."}
    assert AuditEvent.objects.count() == events
