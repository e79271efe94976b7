"""A search of the audit log reads a bounded number of events, and pages skip none."""

from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from apikeys.pages.activity import filters
from apikeys.pages.activity.filters import AuditFilter, find, find_all, page_of
from core import ids, transactions
from core.actors import Actor, ActorKind
from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, AuditEventQuerySet, Organization, User
from tests.apikeys.plans import rows_read
from tests.factories import SYSTEM
from tests.pages.support import developer, html, sign_in
from tests.reliability.faults.events import add_events

#: Far more than a search may look at.
MANY = 30_000
#: Of the rows and index entries: once for the limit, once for the search, and what goes with them,
#: such as the events that are nearest to each of two days.
MOST = 2 * filters.SEARCHED + 1300

postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="says how many rows it has read"
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of events that a search looks at in these tests."""
    monkeypatch.setattr(filters, "SEARCHED", 10)
    return 10


@pytest.fixture
def events_of_acme(acme: Organization) -> AuditEventQuerySet:
    """25 renames by Ada, one by Max in the middle, and the creation of the organization."""
    with transactions.operation():
        for number in range(26):
            actor = Actor.person(UUID(int=7), "Max" if number == 13 else "Ada")
            audit.record(OrganizationEvent.RENAMED, acme, actor=actor)
    return AuditEvent.objects.log_of(acme.id)


def _pages(events: AuditEventQuerySet, asked: AuditFilter) -> list[filters.AuditPage]:
    found, cursor = page_of(events, asked, "", "acme")
    pages = [found]
    while cursor:
        found, cursor = page_of(events, asked, cursor, "acme")
        pages.append(found)
    return pages


def test_a_search_goes_on_where_it_has_stopped(
    events_of_acme: AuditEventQuerySet, few: int
) -> None:
    pages = _pages(events_of_acme, AuditFilter(actor="max"))

    assert [len(page.events) for page in pages] == [0, 1, 0]
    assert [bool(page.searched_to) for page in pages] == [True, True, False]


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11, 50])
def test_pages_of_a_search_lose_nothing_and_repeat_nothing(
    events_of_acme: AuditEventQuerySet, few: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "PAGE_SIZE", size)
    asked = AuditFilter(actor="ada", kind="organization")
    expected = list(events_of_acme.filter(actor_label="Ada").order_by("-id"))

    found, position = [], None
    while True:
        page = find(events_of_acme, asked, position, most=size)
        found += page.events
        position = page.position
        if not position:
            break

    assert found == expected == list(chain.from_iterable(find_all(events_of_acme, asked)))


def test_without_a_search_nothing_is_bounded(events_of_acme: AuditEventQuerySet, few: int) -> None:
    (page,) = _pages(events_of_acme, AuditFilter())

    assert len(page.events) == 27
    assert page.searched_to is None


def test_the_page_says_how_far_it_has_searched(
    acme: Organization, admin: User, events_of_acme: AuditEventQuerySet, few: int
) -> None:
    browser = sign_in(admin)

    first = browser.get(developer(acme, "activity/?actor=max"))
    second = browser.get(developer(acme, f"activity/?{first.context['following']}"))
    exported = browser.get(developer(acme, "activity/export/?actor=max")).getvalue().decode()

    assert "Searched 10 events, back to" in html(first)
    assert "No match so far." in html(first)
    assert "Search older events" in html(first)
    shown = [entry for day in second.context["days"] for entry in day.entries]
    assert [entry.event.actor_label for entry in shown] == ["Max"]
    assert exported.count("Max renamed") == 1


@pytest.mark.parametrize(
    ("since", "until", "found"), [(0, 0, 1), (0, 1, 2), (-1, 0, 2), (2, 2, 0), (None, 0, 2)]
)
def test_days_are_exact(
    events_of_acme: AuditEventQuerySet, since: int | None, until: int, found: int
) -> None:
    """Three events: a day ago at its last moment, today at its first, and tomorrow."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    organization = UUID(int=9)
    for moment in (today - timedelta(milliseconds=1), today, today + timedelta(days=1)):
        _record_at(moment, organization)
    events = AuditEvent.objects.log_of(organization)
    asked = AuditFilter(
        since=None if since is None else (today + timedelta(days=since)).date(),
        until=(today + timedelta(days=until)).date(),
    )

    assert len(list(chain.from_iterable(find_all(events, asked)))) == found


def _record_at(moment: datetime, organization: UUID) -> None:
    """An event as the services would have left it at that moment, by the clock that ids are of."""
    made = UUID(int=ids.first_id(moment).int + 1)
    event = AuditEvent(id=made, event="x.y", organization_id=organization, actor_kind="system")
    with transactions.allowed(), time_machine.travel(moment, tick=False):
        event.save()
    assert ids.made_at(made) == event.at == moment


# --- Rows that are read ---


@pytest.fixture
def indexes_only(long_trail: AuditEventQuerySet) -> None:
    """PostgreSQL reads a table of this size whole for 10,000 rows, unless it is told not to."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


@pytest.fixture
def long_trail(acme: Organization, admin: User, globex: Organization) -> AuditEventQuerySet:
    """Many events of Acme, and then as many of Globex."""
    add_events(acme.id, MANY, ended_hours_ago=24)
    add_events(globex.id, MANY)
    return AuditEvent.objects.visible_log_of(acme.id, Actor.person(admin.id, "Ada"))


SEARCHES = [
    AuditFilter(actor="nobody"),
    AuditFilter(kind="invitation"),
    AuditFilter(text="nothing"),
    AuditFilter(actor="nobody", until=timezone.now().date()),
    AuditFilter(actor="nobody", since=date(2020, 1, 1)),
    AuditFilter(text=ids.public_id("key", UUID(int=5))),
    AuditFilter(until=date(2020, 1, 1)),
    AuditFilter(),
]


@postgresql
def test_a_search_looks_at_a_bounded_number_of_rows(long_trail: AuditEventQuerySet) -> None:
    read = {asked: rows_read(partial(find, long_trail, asked)) for asked in SEARCHES}
    everything = rows_read(lambda: list(long_trail.filter(actor_label__icontains="nobody")))

    assert {asked: rows for asked, rows in read.items() if rows > MOST} == {}
    assert MOST < MANY <= everything


#: What staff look for; names in capitals are ids.
STAFF_QUERIES = [
    "", "q=nothing", "event=member.left", "actor_kind__exact=staff", "o=2", "p=3",
    "at__gte=2020-01-01T00:00:00Z", "q=ACME", "organization_id=ACME&q=nothing", "q=USER",
    "q=TARGET",
]  # fmt: skip


@postgresql
@pytest.mark.usefixtures("indexes_only")
def test_the_list_of_the_staff_looks_at_a_bounded_number_of_rows(
    acme: Organization, staff: User
) -> None:
    """For the limits (at most three), the count and the page."""
    browser = sign_in(staff, Client())
    target = AuditEvent.objects.filter(target_type="ApiKey").latest("id").target_id
    named = {"ACME": acme.pk, "USER": staff.pk, "TARGET": target}
    read = {}
    for query in STAFF_QUERIES:
        asked = query
        for name, value in named.items():
            asked = asked.replace(name, str(value))
        page = f"/admin/organizations/auditevent/?{asked}"
        assert browser.get(page).status_code == 200
        read[query] = rows_read(partial(browser.get, page))

    assert {query: rows for query, rows in read.items() if rows > 6 * filters.SEARCHED} == {}


def test_staff_go_on_among_older_events(
    acme: Organization, staff: User, events_of_acme: AuditEventQuerySet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("organizations.admin.audit.SEARCHED", 10)
    monkeypatch.setattr("organizations.admin.audit.LISTED", 10)
    browser = sign_in(staff)
    address, seen, pages = "?actor_kind__exact=person", [], 0
    while address:
        page = browser.get(f"/admin/organizations/auditevent/{address}")
        seen += [event.pk for event in page.context["cl"].result_list]
        address, pages = page.context.get("older", ""), pages + 1

    assert pages == 3
    assert seen == list(
        AuditEvent.objects.filter(actor_kind="person").order_by("-id").values_list("pk", flat=True)
    )


@postgresql
def test_the_page_looks_at_a_bounded_number_of_rows(
    long_trail: AuditEventQuerySet, acme: Organization, admin: User
) -> None:
    browser = sign_in(admin)
    queries = ["", "?actor=nobody", "?kind=invitation", "?q=nothing"]
    pages = [developer(acme, f"activity/{query}") for query in queries]
    read = {page: rows_read(partial(browser.get, page)) for page in pages}

    assert {page: rows for page, rows in read.items() if rows > MOST} == {}


def test_a_trail_is_visible_to_those_who_see_its_organization(
    acme: Organization, admin: User, outsider: User, globex: Organization
) -> None:
    actors = [
        Actor.person(admin.id, "Ada"),
        Actor(kind=ActorKind.KEY, label="Ours", organization_id=acme.id),
        SYSTEM,
        Actor.person(outsider.id, "Gina"),
        Actor(kind=ActorKind.KEY, label="Theirs", organization_id=globex.id),
    ]

    seen = [AuditEvent.objects.visible_log_of(acme.id, actor).exists() for actor in actors]
    assert seen == [True, True, True, False, False]


@postgresql
def test_what_the_access_page_and_invitations_ask_of_the_trail_is_bounded(
    long_trail: AuditEventQuerySet, acme: Organization, admin: User
) -> None:
    browser = sign_in(admin)
    hour = timezone.now() - timedelta(hours=1)

    assert rows_read(lambda: browser.get(developer(acme, "access/"))) < 100
    assert rows_read(long_trail.since(hour).filter(event="x").count) <= 3600 + 60 + 10


def test_every_event_is_offered_to_staff_as_a_filter(staff: User) -> None:
    page = html(sign_in(staff).get("/admin/organizations/auditevent/"))

    for name in ("api_key.revoked", "template.deleted", "member.left", "organization.renamed"):
        assert f"?event={name}" in page
