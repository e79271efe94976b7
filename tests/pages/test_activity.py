"""The audit log as sentences, and as a CSV file that no spreadsheet executes."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apikeys import conf, services
from apikeys.events import KeyEvent
from apikeys.management.demo_past import as_of
from apikeys.pages.activity.sentences import SENTENCES
from apikeys.pages.csv_export import cell
from apikeys.services import Issued
from core import transactions
from core.actors import Actor, RequestContext
from core.timestamps import stamp
from organizations import audit
from organizations import services as organization_services
from organizations.events import OrganizationEvent
from organizations.models import Organization, User
from organizations.roles import Role
from tests.factories import (
    IssuedKeyFactory,
    MembershipFactory,
    ServiceAccountFactory,
    UserFactory,
)
from tests.pages.support import developer, html, told
from tests.support.domain import acting, person


@dataclass(slots=True)
class ApiKey:
    """A key of another organization, as an event of this one would name it."""

    pk: UUID
    organization_id: UUID


def test_every_event_has_a_sentence() -> None:
    assert set(SENTENCES) == {*KeyEvent, *OrganizationEvent}


def test_changes_are_told(
    browser: Client, acme: Organization, as_admin: Actor, make_key: Callable[..., Issued]
) -> None:
    key = make_key(name="CI", scopes=["search:read"], environment="test", actor=as_admin).key
    changes = {"name": "Builds", "scopes": ["events:read"]}
    services.update_api_key(key, actor=as_admin, changes=changes)
    services.revoke_api_key(key, actor=as_admin, reason="Found in a log.")

    lines = told(browser.get(developer(acme, "activity/")))
    file = b"".join(browser.get(developer(acme, "activity/export/"))).decode()

    assert lines[:3] == [
        "Ada Acme deleted the key Builds – Reason: Found in a log.",
        (
            "Ada Acme changed the key Builds – Name from “CI” to “Builds”"
            " · Added events:read · Removed search:read"
        ),
        "Ada Acme created the key CI – search:read · Test",
    ]
    assert "Ada Acme deleted the key “Builds”: reason: Found in a log." in file
    assert (
        "Ada Acme changed the key “Builds”: name from “CI” to “Builds”;"
        " permissions added: events:read; permissions removed: search:read."
    ) in file


def test_a_change_of_one_thing_is_named_and_many_permissions_are_counted(
    browser: Client, acme: Organization, as_admin: Actor, make_key: Callable[..., Issued]
) -> None:
    key = make_key(name="CI", scopes=list(conf.scopes()), actor=as_admin).key
    for changes in ({"scopes": ["search:read"]}, {"name": "Builds"}):
        services.update_api_key(key, actor=as_admin, changes=changes)
    for grace in (timedelta(0), timedelta(days=1)):
        services.rotate_api_key(key, actor=as_admin, grace_period=grace)
    ends = key.secrets.exclude(ends_at=None).order_by("-ends_at")[0].ends_at
    assert ends

    assert told(browser.get(developer(acme, "activity/")))[:5] == [
        f"Ada Acme rotated the key Builds – Old secret works until {stamp(ends)}",
        "Ada Acme rotated the key Builds – Old secret stopped working immediately",
        "Ada Acme renamed the key Builds – Name from “CI” to “Builds”",
        "Ada Acme changed the permissions of the key CI – Removed 4 permissions",
        "Ada Acme created the key CI – 5 permissions",
    ]


def test_what_exists_is_a_link_and_what_was_deleted_is_not(
    browser: Client,
    acme: Organization,
    as_admin: Actor,
    make_key: Callable[..., Issued],
    globex: Organization,
) -> None:
    manager = make_key(name="Manager", scopes=["api-keys:manage", "search:read"])
    kept, gone = (
        services.create_api_key(organization=acme, actor=acting(manager), name=name).key
        for name in ("Kept", "Gone")
    )
    services.revoke_api_key(gone, actor=as_admin)
    robot = ServiceAccountFactory.create(organization=acme, name="Robot")
    old = ServiceAccountFactory.create(organization=acme, name="Old robot")
    services.delete_service_account(old, actor=as_admin)
    theirs = IssuedKeyFactory.create(organization=globex).key
    with transactions.operation():
        audit.record(KeyEvent.UPDATED, ApiKey(theirs.pk, acme.pk), actor=as_admin)

    text = html(browser.get(developer(acme, "activity/")))

    link = '<a href="{}">{}</a>'.format
    assert link(developer(acme, f"keys/{kept.public_id}/"), "Kept") in text
    assert link(developer(acme, f"keys/{manager.key.public_id}/"), "Manager") in text
    assert link(developer(acme, f"service-accounts/{robot.public_id}/"), "Robot") in text
    for deleted in (gone, old, theirs):
        assert deleted.public_id not in text
    assert "Ada Acme deleted the service account Old robot" in re.sub(r"<[^>]+>", "", text)


def test_events_are_grouped_by_the_days_of_utc(
    browser: Client, acme: Organization, as_admin: Actor
) -> None:
    now = timezone.now().astimezone(UTC)
    noon = now.replace(hour=12, minute=34)
    for days in (0, 1, 400):
        with as_of(noon - timedelta(days=days)), transactions.operation():
            audit.record(OrganizationEvent.RENAMED, acme, actor=as_admin)

    page = browser.get(developer(acme, "activity/?kind=organization"))

    long_ago = noon - timedelta(days=400)
    labels = {day.label for day in page.context["days"]}
    assert {
        f"Today, {noon.day} {noon:%b %Y}",
        f"Yesterday, {(noon - timedelta(days=1)).day} {noon - timedelta(days=1):%b %Y}",
        f"{long_ago:%A}, {long_ago.day} {long_ago:%b %Y}",
    } <= labels
    assert html(page).count(">12:34</time>") == 3


@pytest.mark.parametrize("renamed", [False, True], ids=["named as then", "renamed"])
def test_memberships_are_told_by_the_names_of_people(
    browser: Client, acme: Organization, as_admin: Actor, renamed: bool
) -> None:
    quinn = UserFactory.create(name="Quinn New")
    lea = UserFactory.create(name="Lea Leaver")
    theirs = organization_services.add_member(acme, user=quinn, role=Role.ADMIN, actor=as_admin)
    MembershipFactory.create(organization=acme, user=lea)
    organization_services.change_role(theirs, role=Role.MEMBER, actor=as_admin)
    organization_services.remove_member(theirs, actor=as_admin)
    organization_services.leave_organization(acme, actor=person(lea))
    if renamed:
        organization_services.rename_organization(acme, name="Made in Acme", actor=as_admin)

    lines = told(browser.get(developer(acme, "activity/")))
    file = b"".join(browser.get(developer(acme, "activity/export/"))).decode()

    expected = [
        "Ada Acme added Quinn New as an admin",
        "Ada Acme changed the role of Quinn New – Role from “admin” to “member”",
        "Ada Acme removed Quinn New (member)",
        "Lea Leaver left the organization (member)",
    ]
    exported = [
        "Ada Acme added Quinn New as admin.",
        "Ada Acme changed the role of Quinn New: role from “admin” to “member”.",
        "Ada Acme removed Quinn New (member).",
        "Lea Leaver left the organization (member).",
    ]
    assert [line for line in expected if line not in lines] == []
    assert [line for line in exported if line not in file] == []


def test_a_name_is_told_whole(browser: Client, acme: Organization, as_admin: Actor) -> None:
    user = UserFactory.create(name="Jan in ’t Veld")
    organization_services.add_member(acme, user=user, role=Role.MEMBER, actor=as_admin)

    lines = told(browser.get(developer(acme, "activity/")))

    assert lines[0] == "Ada Acme added Jan in ’t Veld as a member"


@pytest.mark.parametrize("page", ["activity/", "activity/export/?since=soon"])
@pytest.mark.parametrize(
    ("days", "said"),
    [(90, "IP addresses are removed after 90 days"), (0, "names of people who left")],
)
def test_the_page_says_what_becomes_of_old_events(
    browser: Client, acme: Organization, settings: Settings, page: str, days: int, said: str
) -> None:
    settings.RETENTION_ADDRESS_DAYS = days

    text = html(browser.get(developer(acme, page)))

    assert said in text
    assert "can be replaced by a pseudonym" in text
    assert ("IP addresses are removed" in text) is bool(days)
    assert "cannot be altered" not in text


def test_filters(browser: Client, acme: Organization, make_key: Callable[..., Issued]) -> None:
    key = make_key(name="CI").key
    make_key(name="Other")
    tomorrow = f"{timezone.now() + timedelta(days=1):%Y-%m-%d}"

    def found(query: str) -> int:
        return len(told(browser.get(developer(acme, f"activity/?{query}"))))

    assert found("q=ci") == found(f"q={key.public_id}") == 1
    assert found("kind=api_key") == 2
    assert found("actor=nobody") == 0
    assert found(f"since={tomorrow}") == 0
    assert found(f"until={tomorrow}") == 3


@pytest.mark.parametrize(
    "query",
    [
        "since=soon",
        "until=2026-99-99",
        "until=9999-12-31",
        "kind=x",
        "period=x",
        "actor=" + "x" * 101,
    ],
)
def test_a_filter_that_cannot_be_read_is_named(
    browser: Client, acme: Organization, query: str
) -> None:
    for page in ("activity/", "activity/export/"):
        answer = browser.get(developer(acme, f"{page}?{query}&q=kept"))

        assert answer.status_code == 422
        assert 'role="alert"' in html(answer)
        assert 'value="kept"' in html(answer)


def test_pages_follow_each_other_and_cursors_of_others_begin_again(
    browser: Client, acme: Organization, as_admin: Actor
) -> None:
    with transactions.operation():
        for _ in range(120):
            audit.record(OrganizationEvent.RENAMED, acme, actor=as_admin)

    seen, address = [], "activity/"
    for _ in range(3):
        answer = browser.get(developer(acme, address))
        seen += [entry.event.pk for day in answer.context["days"] for entry in day.entries]
        address = f"activity/?{answer.context['following']}"
    forged = browser.get(developer(acme, "activity/?cursor=forged"))
    other = browser.get(developer(acme, address + "&actor=Ada"))

    assert len(seen) == len(set(seen)) == 121
    assert len(told(forged)) == len(told(other)) == 50


def test_nothing_of_another_organization(
    browser: Client, acme: Organization, globex: Organization
) -> None:
    IssuedKeyFactory.create(organization=globex, name="Theirs")

    exported = browser.get(developer(acme, "activity/export/")).getvalue()
    assert b"Theirs" not in exported
    assert "Theirs" not in str(told(browser.get(developer(acme, "activity/"))))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "  =", "＝", "\u3000=", "\x0b="])
def test_a_cell_is_no_formula(start: str) -> None:
    assert cell(f"{start}1+1").startswith("'")
    assert cell("plain = text") == "plain = text"


def test_the_file(browser: Client, acme: Organization, make_key: Callable[..., Issued]) -> None:
    make_key(name='=HYPERLINK("https://evil.example")')

    answer = browser.get(developer(acme, "activity/export/?kind=api_key"))
    rows = list(csv.reader(StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="activity-acme-')
    assert len(rows) == 2
    assert rows[1][4] == '\'=HYPERLINK("https://evil.example")'


def test_a_key_has_its_own_timeline(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], admin: User
) -> None:
    key = make_key(name="CI").key
    make_key(name="Other")

    page = browser.get(developer(acme, f"keys/{key.public_id}/"))

    assert [row["sentence"][:30] for row in page.context["timeline"]] == [
        "The system created the key “CI"
    ]


def test_the_search_finds_an_ip_address_and_a_request_id(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="CI")
    elsewhere = Actor.person(
        UUID(int=7),
        "Ada",
        RequestContext(ip="2001:db8::7", request_id="req_0356mFYkn5NDnrdtYj6UG4"),
    )
    with transactions.operation():
        audit.record(OrganizationEvent.RENAMED, acme, actor=elsewhere)

    def found(text: str) -> list[str]:
        return told(browser.get(developer(acme, f"activity/?q={text}")))

    assert len(found("2001:DB8:0::7")) == len(found("req_0356mFYkn5NDnrdtYj6UG4")) == 1
    assert found("2001:db8::8") == found("req_0356mFYkn5NDnrdtYj6UG5") == found("2001:db8") == []


def test_a_period_ends_today_and_days_count_only_with_their_choice(
    browser: Client, acme: Organization, as_admin: Actor
) -> None:
    today = timezone.now()
    for days in (6, 7, 29, 30):
        with as_of(today - timedelta(days=days)), transactions.operation():
            audit.record(OrganizationEvent.MEMBER_LEFT, acme, actor=as_admin)
    tomorrow = f"{today + timedelta(days=1):%Y-%m-%d}"

    def found(query: str) -> int:
        return len(told(browser.get(developer(acme, f"activity/?kind=member&{query}"))))

    periods = ["", "1", "7", "30", "90", "dates"]
    assert [found(f"period={period}") for period in periods] == [4, 0, 1, 3, 4, 4]
    assert found(f"period=7&since={tomorrow}&until=soon") == 1
    assert found(f"period=&since={tomorrow}") == 4
    assert found(f"period=dates&since={tomorrow}") == found(f"since={tomorrow}") == 0
