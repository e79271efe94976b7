"""The audit log as sentences, and as a CSV file that no spreadsheet executes."""

import csv
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apikeys import services
from apikeys.events import KeyEvent
from apikeys.pages.activity.sentences import SENTENCES
from apikeys.pages.csv_export import cell
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations import audit
from organizations import services as organization_services
from organizations.events import OrganizationEvent
from organizations.models import Organization, User
from organizations.roles import Role
from tests.factories import IssuedKeyFactory, MembershipFactory, UserFactory
from tests.pages.support import developer, html
from tests.support.domain import person


def _sentences(answer: Any) -> list[str]:
    return [row["sentence"] for row in answer.context["rows"]]


def test_every_event_has_a_sentence() -> None:
    assert set(SENTENCES) == {*KeyEvent, *OrganizationEvent}


def test_changes_are_told(
    browser: Client, acme: Organization, as_admin: Actor, make_key: Callable[..., Issued]
) -> None:
    key = make_key(name="CI", scopes=["search:read"], actor=as_admin).key
    changes = {"name": "Builds", "scopes": ["events:read"]}
    services.update_api_key(key, actor=as_admin, changes=changes)
    services.revoke_api_key(key, actor=as_admin, reason="Found in a log.")

    told = _sentences(browser.get(developer(acme, "activity/")))

    assert told[0] == "Ada Acme deleted the key “Builds”: reason: Found in a log."
    assert told[1] == (
        "Ada Acme changed the key “Builds”: name from “CI” to “Builds”;"
        " permissions added: events:read; permissions removed: search:read."
    )
    assert told[2].startswith("Ada Acme created the key “CI”: permissions search:read")


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

    told = _sentences(browser.get(developer(acme, "activity/")))
    file = b"".join(browser.get(developer(acme, "activity/export/"))).decode()

    expected = [
        "Ada Acme added Quinn New as admin.",
        "Ada Acme changed the role of Quinn New: role from “admin” to “member”.",
        "Ada Acme removed Quinn New (member).",
        "Lea Leaver left the organization (member).",
    ]
    assert [line for line in expected if line not in told] == []
    assert [line for line in expected if line not in file] == []


def test_a_name_is_told_whole(browser: Client, acme: Organization, as_admin: Actor) -> None:
    user = UserFactory.create(name="Jan in ’t Veld")
    organization_services.add_member(acme, user=user, role=Role.MEMBER, actor=as_admin)

    told = _sentences(browser.get(developer(acme, "activity/")))

    assert told[0] == "Ada Acme added Jan in ’t Veld as member."


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
        return len(_sentences(browser.get(developer(acme, f"activity/?{query}"))))

    assert found("key=ci") == found(f"key={key.public_id}") == 1
    assert found("kind=api_key") == 2
    assert found("actor=nobody") == 0
    assert found(f"since={tomorrow}") == 0
    assert found(f"until={tomorrow}") == 3


@pytest.mark.parametrize(
    "query", ["since=soon", "until=2026-99-99", "until=9999-12-31", "kind=x", "actor=" + "x" * 101]
)
def test_a_filter_that_cannot_be_read_is_named(
    browser: Client, acme: Organization, query: str
) -> None:
    for page in ("activity/", "activity/export/"):
        answer = browser.get(developer(acme, f"{page}?{query}&key=kept"))

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
        seen += [row["event"].pk for row in answer.context["rows"]]
        address = f"activity/?{answer.context['following']}"
    forged = browser.get(developer(acme, "activity/?cursor=forged"))
    other = browser.get(developer(acme, address + "&actor=Ada"))

    assert len(seen) == len(set(seen)) == 121
    assert len(_sentences(forged)) == len(_sentences(other)) == 50


def test_nothing_of_another_organization(
    browser: Client, acme: Organization, globex: Organization
) -> None:
    IssuedKeyFactory.create(organization=globex, name="Theirs")

    exported = browser.get(developer(acme, "activity/export/")).getvalue()
    assert b"Theirs" not in exported
    assert "Theirs" not in str(_sentences(browser.get(developer(acme, "activity/"))))


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
