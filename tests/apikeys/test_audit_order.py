"""Audit events are ordered by a sequence, even if the clock goes back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.management import call_command
from django.core.signing import Signer
from django.db import connection, transaction
from django.test import Client

from apikeys import services
from apikeys.pages.activity import filters
from apikeys.services import Issued
from core import ids, transactions
from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Organization, User
from tests.factories import SYSTEM
from tests.pages.support import developer, html, sign_in, told
from tests.support.domain import at_once, person

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
#: Two hours back, and on from there.
CLOCK = [NOON, NOON + timedelta(minutes=1), NOON - timedelta(hours=2), NOON - timedelta(hours=1)]
NAMES = ["One", "Two", "Three", "Four"]


@pytest.fixture
def renamed(admin: User, make_key: Callable[..., Issued]) -> Issued:
    """A key that has had four names; the clock went back two hours after the second."""
    issued = make_key(name="Zero")
    actor = person(admin)
    for moment, name in zip(CLOCK, NAMES, strict=True):
        with time_machine.travel(moment, tick=False):
            services.update_api_key(issued.key, actor=actor, changes={"name": name})
    return issued


def _names(text: str) -> list[str]:
    return re.findall(r"to “(\w+)”", text)


def test_pages_and_export_show_what_came_last_first(
    renamed: Issued, acme: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apikeys.pages.activity.views.page_of", _page_of_two)
    browser, address = sign_in(admin), "activity/?kind=api_key"
    seen: list[str] = []
    while address:
        response = browser.get(developer(acme, address))
        seen += _names(" ".join(told(response)))
        following = response.context["following"]
        address = f"activity/?{following}" if following else ""
    exported = browser.get(developer(acme, "activity/export/")).getvalue().decode()
    timeline = html(browser.get(developer(acme, f"keys/{renamed.key.public_id}/")))

    assert seen == _names(exported) == NAMES[::-1]
    assert [name for name in _names(timeline) if name in NAMES] == NAMES[::-1]


def _page_of_two(*asked: Any) -> Any:
    found = filters.find(asked[0], asked[1], filters._position(_signer(*asked), asked[2]), most=2)
    return found, _signer(*asked).sign_object(found.position) if found.position else ""


def _signer(events: Any, asked: filters.AuditFilter, cursor: str, binding: object) -> Signer:
    return Signer(salt=f"trail:{(binding, asked)!r}")


def test_the_list_of_the_staff(
    renamed: Issued, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("organizations.admin.audit.SEARCHED", 2)
    browser, address, seen = sign_in(staff), "?event=api_key.updated", []
    while address:
        response = browser.get(f"/admin/organizations/auditevent/{address}")
        seen += [event.target_label for event in response.context["cl"].result_list]
        address = response.context.get("older", "")

    assert seen == NAMES[::-1]


def test_days_are_those_of_the_clock(acme: Organization, admin: User) -> None:
    """Ids are of the same clock, which time_machine does not reach."""
    midnight = NOON.replace(hour=1)
    clock = [midnight, midnight - timedelta(hours=2), midnight - timedelta(minutes=90), midnight]
    with transactions.allowed():
        for place, (moment, name) in enumerate(zip(clock, NAMES, strict=True)):
            with time_machine.travel(moment, tick=False):
                AuditEvent.objects.create(
                    id=UUID(int=ids.first_id(moment).int + place),
                    event="api_key.updated",
                    organization_id=acme.id,
                    actor_kind="system",
                    details={"name": ["", name]},
                )
    browser = sign_in(admin)
    page = developer(acme, "activity/export/?kind=api_key&{}=2026-03-{}")

    found = {
        asked: _names(browser.get(page.format(*asked)).getvalue().decode())
        for asked in (("since", "02"), ("until", "01"), ("since", "01"), ("until", "02"))
    }

    assert found["since", "02"] == ["Four", "One"]
    assert found["until", "01"] == ["Three", "Two"]
    assert found["since", "01"] == found["until", "02"] == NAMES[::-1]


def test_events_of_one_statement_are_in_their_order(acme: Organization) -> None:
    events = [(acme, {"place": place}) for place in range(200)]
    with transactions.operation():
        audit.record_each(OrganizationEvent.RENAMED, events, actor=SYSTEM)

    stored = AuditEvent.objects.filter(event="organization.renamed").order_by("number")
    assert [event.details["place"] for event in stored] == list(range(200))


def test_a_new_event_knows_its_number(acme: Organization) -> None:
    with transactions.operation():
        made = [audit.record(OrganizationEvent.RENAMED, acme, actor=SYSTEM) for _ in range(2)]

    assert made[0].number < made[1].number
    assert made[1].number == AuditEvent.objects.latest("number").number


def test_transactions_at_once_get_numbers_of_their_own(acme: Organization, committed: None) -> None:
    def record() -> int:
        with transactions.operation():
            return audit.record(OrganizationEvent.RENAMED, acme, actor=SYSTEM).number

    numbers = at_once([record] * 8)

    assert len(set(numbers)) == 8
    assert all(isinstance(number, int) for number in numbers)


def test_events_from_before_keep_their_order(renamed: Issued, committed: None) -> None:
    """They were in the order of their ids, and are where there is a number again."""
    call_command("migrate", "organizations", "0005", verbosity=0)
    call_command("migrate", "organizations", verbosity=0)
    found = list(AuditEvent.objects.order_by("number").values_list("id", flat=True))
    with transactions.operation():
        event = AuditEvent.objects.create(event="x.y", actor_kind="system")

    assert found == sorted(found)
    assert event.number > len(found)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite serves one process")
def test_a_process_from_before_the_column_leaves_events(acme: Organization) -> None:
    before = AuditEvent.objects.latest("number").number
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO organizations_auditevent (id, at, event, actor_kind, actor_label,"
            " target_type, target_label, user_agent, request_id, details)"
            " VALUES (gen_random_uuid(), now(), 'x.y', 'system', '', '', '', '', '', '{}')"
        )

    assert AuditEvent.objects.get(event="x.y").number > before


def test_a_cursor_that_is_not_ours_begins_at_the_start(
    renamed: Issued, acme: Organization, admin: User
) -> None:
    browser: Client = sign_in(admin)
    signed = Signer(salt=f"trail:{(acme.id, filters.AuditFilter())!r}").sign_object("0" * 32)

    for cursor in ("nonsense", signed):
        page = browser.get(developer(acme, f"activity/?cursor={cursor}"))
        assert page.status_code == 200
        assert _names(told(page)[0]) == ["Four"]
