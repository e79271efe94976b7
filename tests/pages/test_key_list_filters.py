"""Filters of the key list, and the list as CSV, which has the same filters."""

import csv
import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys.models import ApiKey
from apikeys.pages.keys.key_list import COUNTED
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations.models import AuditEvent, Organization, User
from tests.factories import ServiceAccountFactory
from tests.pages.support import add_many_keys, developer, html, listed_names


@pytest.fixture
def crew(
    acme: Organization, member: User, make_key: Callable[..., Issued], as_admin: Actor
) -> dict[str, str]:
    """Keys that differ in what can be filtered by, and the values to filter by."""
    machine = ServiceAccountFactory.create(organization=acme, name="Importer")
    make_key(actor=as_admin, name="Ada's", scopes=["search:read"])
    make_key(actor=as_admin, name="Test", environment="test", scopes=["events:read"])
    make_key(
        actor=as_admin,
        name="Machine",
        service_account=machine,
        scopes=["search:read", "events:read"],
    )
    max_key = make_key(actor=as_admin, name="Max's", scopes=["trademarks:read"]).key
    with transactions.allowed():
        ApiKey.objects.filter(pk=max_key.pk).update(created_by=member)
    return {
        "ada": str(as_admin.principal_id),
        "max": str(member.pk),
        "machine": machine.public_id,
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"environment": "test"}, {"Test"}),
        ({"environment": "live"}, {"Ada's", "Machine", "Max's"}),
        ({"permission": "search:read"}, {"Ada's", "Machine"}),
        ({"permission": "portfolios:manage"}, set()),
        ({"creator": "max"}, {"Max's"}),
        ({"creator": "machine"}, {"Machine"}),
        ({"creator": "ada", "permission": "events:read"}, {"Test", "Machine"}),
        ({"creator": "ada", "permission": "events:read", "q": "mach"}, {"Machine"}),
    ],
)
def test_filters(
    browser: Client,
    acme: Organization,
    crew: dict[str, str],
    query: dict[str, str],
    names: set[str],
) -> None:
    sent = {name: crew.get(value, value) for name, value in query.items()}

    page = browser.get(developer(acme), sent)

    assert set(listed_names(page)) == names
    assert page.context["listing"].total == len(names), "counted with the filters"
    for value in sent.values():
        assert f'value="{value}" selected' in html(page) or "q" in sent
    assert ("Clear filters" in html(page)) is True


def test_creators_are_those_of_keys_and_service_accounts(
    browser: Client, acme: Organization, globex: Organization, crew: dict[str, str]
) -> None:
    ServiceAccountFactory.create(organization=globex, name="Theirs")

    groups = browser.get(developer(acme)).context["selects"][-1].groups

    assert [label for _, label in groups["People"]] == ["Ada Acme", "Max Member"]
    assert [label for _, label in groups["Service accounts"]] == ["Importer"]


def test_a_creator_without_keys_stays_chosen(
    browser: Client, acme: Organization, outsider: User, crew: dict[str, str]
) -> None:
    """Or else the filter would say “Anyone” above an empty list."""
    page = html(browser.get(developer(acme), {"creator": str(outsider.pk)}))

    assert f'<option value="{outsider.pk}" selected>Selected creator</option>' in page
    assert "Gina" not in page


def test_filters_stay_in_every_link(
    browser: Client, acme: Organization, admin: User, crew: dict[str, str]
) -> None:
    add_many_keys(acme, admin, 90)
    query = f"environment=live&permission=search%3Aread&creator={crew['ada']}"

    text = html(browser.get(developer(acme, f"?{query}"))).replace("&amp;", "&")

    for link in (f"?{query}&sort=name", f"?{query}&page=2", f"keys/export/?{query}"):
        assert link in text
    for name in ("environment", "permission", "creator"):
        assert re.search(rf'<input type="hidden" name="{name}" value="[^"]+">', text), "the jump"


def test_counts_have_separators(browser: Client, acme: Organization, admin: User) -> None:
    add_many_keys(acme, admin, COUNTED)

    text = html(browser.get(developer(acme)))

    assert "Status: All (2,000)" in text
    assert "1–25 of 2,000 keys" in text


def _export(browser: Client, address: str) -> list[list[str]]:
    content: bytes = browser.get(address).getvalue()
    return list(csv.reader(StringIO(content.decode("utf-8-sig"))))


def test_the_list_as_csv(
    browser: Client, acme: Organization, admin: User, crew: dict[str, str], foreigner: Issued
) -> None:
    add_many_keys(acme, admin, 30)

    header, *rows = _export(browser, developer(acme, "keys/export/?sort=name"))
    filtered = _export(browser, developer(acme, f"keys/export/?creator={crew['machine']}"))

    assert header[:3] == ["Name", "Key ID", "Prefix"]
    assert [row[0] for row in rows][:2] == ["Ada's", "Bulk 00000"]
    assert len(rows) == 34
    assert [row[0] for row in filtered[1:]] == ["Machine"]
    machine = dict(zip(header, filtered[1], strict=True))
    assert machine["Status"] == "Active"
    assert machine["Service account"] == "Importer"
    assert machine["Permissions"] == "search:read events:read"
    events = AuditEvent.objects.filter(event="organization.exported", actor_id=admin.pk)
    assert [event.details for event in events] == [{"exported": "keys"}] * 2


def test_selected_keys_as_csv(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], foreigner: Issued
) -> None:
    chosen = [make_key(name=name).key.public_id for name in ("One", "Two", "Three")][:2]

    rows = _export(
        browser,
        developer(acme, f"keys/export/?key={chosen[0]}&key={chosen[1]}&key=x")
        + f"&key={foreigner.key.public_id}",
    )

    assert [row[0] for row in rows[1:]] == ["Two", "One"]


def test_queries_of_the_csv_do_not_grow_within_a_chunk(
    browser: Client, acme: Organization, admin: User
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            _export(browser, developer(acme, "keys/export/"))
        return len(queries)

    add_many_keys(acme, admin, 2)
    few = count()
    add_many_keys(acme, admin, 150, start=2)

    assert count() == few
