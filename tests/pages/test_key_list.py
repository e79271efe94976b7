"""The key list: search, filters, order and pagination in a constant number of queries."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey, KeyUsage
from apikeys.pages.keys.key_list import COUNTED, PAGE_SIZE
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.services import remove_member, set_api_access, set_service_account_enabled
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.pages.support import add_many_keys, developer, html

#: Session, person, membership, role; the switcher; counts, keys, their secrets, those that a
#: rotation will end, and their usage; people and service accounts to choose from.
LIST_QUERIES = 12


def _names(answer: Any) -> list[str]:
    return [row["key"].name for row in answer.context["rows"]]


def _leads(answer: Any, way: str) -> bool:
    """Whether there is a link to the next or the previous page."""
    return bool(re.search(rf"<a [^>]*>(?:(?!</a>).)*{way}", html(answer), re.I))


def test_empty(browser: Client, acme: Organization) -> None:
    text = html(browser.get(developer(acme)))

    assert "This organization has no API keys" in text
    assert acme.public_id in text
    assert re.search(r'<form [^>]*role="search"[^>]* hidden>', text)
    assert text.count("Create API key") == 1, "in the card alone"
    for habit in ("Copy once, store safely", "One key per service", "Rotate without downtime"):
        assert habit in text


def test_search_by_name_and_by_id(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    production = make_key(name="Production").key
    make_key(name="Staging")

    assert _names(browser.get(developer(acme, "?q=PROD"))) == ["Production"]
    assert _names(browser.get(developer(acme, f"?q={production.public_id}"))) == ["Production"]
    nothing = html(browser.get(developer(acme, "?q=%3Cfoo%3E")))
    assert "No keys match “&lt;foo&gt;”." in nothing
    assert "Clear filters" in nothing


def test_how_many_match_is_seen_beside_them(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Production")

    found = html(browser.get(developer(acme), {"q": "Prod"}))
    everything = html(browser.get(developer(acme)))

    assert '<p class="filtered"><span data-count>1 key matches</span>' in found
    assert "data-clear-filters>Clear filters</a>" in found
    assert "Clear filters" not in everything
    assert '<p class="visually-hidden" data-count>1 key matches</p>' in everything


def test_search_by_the_displayed_prefix(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], as_admin: Actor
) -> None:
    issued = make_key(name="Production")
    make_key(name="Staging")
    before = issued.key.key_prefix
    services.rotate_api_key(issued.key, actor=as_admin)
    after = ApiKey.objects.get(pk=issued.key.pk).key_prefix

    for prefix in (before, after, f"{after}••••", f"{after}…"):
        assert _names(browser.get(developer(acme), {"q": prefix})) == ["Production"]


def test_a_prefix_finds_nothing_elsewhere(
    browser: Client, acme: Organization, foreigner: Issued
) -> None:
    assert _names(browser.get(developer(acme), {"q": foreigner.key.key_prefix})) == []


@pytest.mark.parametrize("page", ["", "activity/"])
def test_a_whole_secret_is_cut_to_its_prefix(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], page: str
) -> None:
    issued = make_key(name="Production")
    name = "key" if page else "q"

    sent = browser.get(developer(acme, page), {name: f"Bearer {issued.secret}"})
    shown = browser.get(sent.headers["Location"])

    assert sent.status_code == 302
    assert issued.secret not in sent.headers["Location"]
    assert issued.key.key_prefix in sent.headers["Location"]
    assert issued.secret not in html(shown)
    assert "You entered a full secret. Only its prefix was used for the search." in html(shown)


def test_states(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], as_admin: Actor
) -> None:
    now = timezone.now()
    make_key(name="Active")
    make_key(name="Soon", expires_at=now + timedelta(days=3))
    services.set_api_key_enabled(make_key(name="Off").key, enabled=False, actor=as_admin)
    services.revoke_api_key(make_key(name="Gone").key, actor=as_admin)
    ended = make_key(name="Ended").key
    with transactions.allowed():
        ApiKey.objects.filter(pk=ended.pk).update(expires_at=now - timedelta(days=2))

    def named(state: str) -> set[str]:
        return set(_names(browser.get(developer(acme, f"?status={state}"))))

    page = browser.get(developer(acme))
    assert set(_names(page)) == {"Active", "Soon", "Off", "Ended"}
    assert named("active") == {"Active", "Soon"}
    assert named("expiring") == {"Soon"}
    assert named("expired") == {"Ended"}
    assert named("disabled") == {"Off"}
    assert [label for _, label in page.context["listing"].states] == [
        "All (4)",
        "Active (2)",
        "Expiring soon (1)",
        "Unused for 30 days (0)",
        "Expired (1)",
        "Disabled (1)",
    ]


@pytest.mark.parametrize("column", ["name", "created", "last-used", "expires"])
def test_order(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], column: str
) -> None:
    now = timezone.now()
    for number, name in enumerate(["A", "b", "C"], start=1):
        key = make_key(name=name, expires_at=now + timedelta(days=number)).key
        with transactions.allowed():
            used = now + timedelta(minutes=number)
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=used)

    up = browser.get(developer(acme, f"?sort={column}"))
    down = browser.get(developer(acme, f"?sort=-{column}"))

    assert _names(up) == ["A", "b", "C"]
    assert _names(down) == ["C", "b", "A"]
    assert html(up).count('aria-sort="ascending"') == 1
    assert html(down).count('aria-sort="descending"') == 1


def test_pages(browser: Client, acme: Organization, admin: User) -> None:
    add_many_keys(acme, admin, 60)

    first, last = browser.get(developer(acme)), browser.get(developer(acme, "?page=3"))

    assert len(_names(first)) == 25
    assert len(_names(last)) == 10
    assert "1–25 of 60 keys" in html(first)
    assert "51–60 of 60 keys" in html(last)
    assert 'max="3" value="1"' in html(first)
    assert not set(_names(first)) & set(_names(last))


def test_of_many_keys_the_list_shows_pages_and_no_numbers(
    browser: Client, acme: Organization, admin: User
) -> None:
    add_many_keys(acme, admin, COUNTED + 10)

    pages = {n: browser.get(developer(acme, f"?sort=name&page={n}")) for n in (1, 2, 81, 999)}

    assert _names(pages[1]) == [f"Bulk {n:05}" for n in range(25)]
    assert _names(pages[2]) == [f"Bulk {n:05}" for n in range(25, 50)]
    assert _names(pages[81]) == _names(pages[999]) == [f"Bulk {n:05}" for n in range(2000, 2010)]
    assert [_leads(p, "next") for p in pages.values()] == [True, True, False, False]
    assert [_leads(p, "previous") for p in pages.values()] == [False, *[True] * 3]
    first = html(pages[1])
    assert "1–25 of more than 2,000 keys" in first
    assert "2,001–2,010 of more than 2,000 keys" in html(pages[81])
    assert "Active</option>" in first
    assert "Active (" not in first


def test_a_filter_of_many_keys_shows_those_it_is_for(
    browser: Client, acme: Organization, admin: User
) -> None:
    add_many_keys(acme, admin, COUNTED + 10)
    with transactions.allowed():
        some = ApiKey.objects.filter(name_key__lt="bulk 00030")
        some.update(disabled_at=timezone.now())

    first = browser.get(developer(acme, "?status=disabled&sort=name"))
    second = browser.get(developer(acme, "?status=disabled&sort=name&page=2"))
    none = browser.get(developer(acme, "?status=expired"))

    assert _names(first) + _names(second) == [f"Bulk {n:05}" for n in range(30)]
    assert "No keys match these filters." in html(none)


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page=99999999999999999999",
        "sort=password",
        "sort=-",
        "status=revoked",
        "environment=staging",
        "permission=%22",
        "permission=no:such",
        "creator=nobody",
        "creator=sa_0000000000000000000000",
        "q=" + "x" * 5000,
        "new=key_nonsense",
        "q=%F0%9F%94%91&q=2",
    ],
)
def test_nonsense_is_no_error(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], query: str
) -> None:
    make_key(name="Production")

    assert browser.get(developer(acme, f"?{query}")).status_code == 200


def test_a_new_key_comes_first_and_is_marked(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    key = make_key(name="A").key
    make_key(name="B")

    page = browser.get(developer(acme, f"?sort=-created&new={key.public_id}"))

    assert _names(page) == ["A", "B"]
    assert html(page).count("data-new-name") == 1


def test_access_that_is_off_is_said(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Production")
    set_api_access(acme, enabled=False, actor=SYSTEM)

    page = browser.get(developer(acme))

    assert "API access is turned off for this organization." in html(page)
    assert _names(page) == ["Production"]


@pytest.mark.parametrize("count", [1, 30, 10_000])
def test_the_number_of_queries_does_not_grow(
    browser: Client, acme: Organization, admin: User, count: int
) -> None:
    add_many_keys(acme, admin, count)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        browser.get(developer(acme, "?sort=name"))

    assert len(queries) == LIST_QUERIES, [q["sql"][:120] for q in queries]


def test_a_new_key_is_shown_first_wherever_it_belongs(
    browser: Client, acme: Organization, admin: User, make_key: Callable[..., Issued]
) -> None:
    add_many_keys(acme, admin, 30)
    new = make_key(name="Zulu").key

    page = browser.get(developer(acme, f"?sort=name&new={new.public_id}"))

    assert _names(page)[:2] == ["Zulu", "Bulk 00000"]
    assert [row["is_new"] for row in page.context["rows"]][:2] == [True, False]
    assert "Zulu" not in _names(browser.get(developer(acme, "?sort=name")))


def test_another_organizations_key_is_not_the_new_one(
    browser: Client, acme: Organization, foreigner: Issued, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Mine")

    page = browser.get(developer(acme, f"?new={foreigner.key.public_id}"))

    assert _names(page) == ["Mine"]


def test_each_row_offers_what_its_key_allows(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Works")
    key = make_key(name="Ended").key
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())

    text = html(browser.get(developer(acme)))

    assert text.count("/rotate/") == 1
    assert text.count("This key has expired. Create a new one instead.") == 1
    assert text.count("/edit/") == text.count("/switch/") == 2
    assert text.count('/delete/" data-dialog') == 4, "an icon, and an entry of the menu"


def test_while_api_access_is_off_the_list_offers_nothing(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Stopped")
    set_api_access(acme, enabled=False, actor=SYSTEM)

    text = html(browser.get(developer(acme)))

    assert "API access is turned off for this organization." in text
    assert developer(acme, "access/") in text
    assert "Stopped" in text
    assert not re.findall(r"/(?:edit|switch|rotate|delete|create|test)/", text)


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

    assert set(_names(page)) == names
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


def test_as_many_rows_are_read_of_many_keys_as_of_few(
    browser: Client, acme: Organization, admin: User
) -> None:
    """A page of 2,000 keys is as quick as one of 20."""

    def read() -> tuple[int, dict[str, int]]:
        objects = Counter[str]()

        def count(sender: type, **_: Any) -> None:
            objects[sender.__name__] += 1

        post_init.connect(count)
        try:
            with CaptureQueriesContext(connection) as queries:
                browser.get(developer(acme))
        finally:
            post_init.disconnect(count)
        return len(queries), objects

    add_many_keys(acme, admin, PAGE_SIZE)
    few = read()
    add_many_keys(acme, admin, COUNTED - PAGE_SIZE, start=PAGE_SIZE)

    assert read() == few
    assert few[1]["ApiKey"] == PAGE_SIZE


def _row(answer: Any, name: str) -> str:
    """The text of a row as people read it."""
    row: str = next(r for r in re.findall(r"<tr role=\"row\".*?</tr>", html(answer)) if name in r)
    return " ".join(re.sub(r"<[^>]+>", " ", row).replace("\xa0", " ").split())


def test_rows_say_why(
    browser: Client,
    acme: Organization,
    member: User,
    make_key: Callable[..., Issued],
    as_admin: Actor,
) -> None:
    now = timezone.now()
    machine = ServiceAccountFactory.create(organization=acme, name="Importer")
    make_key(name="Soon", expires_at=now + timedelta(days=3), environment="test")
    off = make_key(name="Off", scopes=["search:read", "events:read"]).key
    services.set_api_key_enabled(off, enabled=False, actor=as_admin)
    services.rotate_api_key(
        make_key(name="Turning").key, actor=as_admin, grace_period=timedelta(hours=24)
    )
    make_key(name="Machine", service_account=machine)
    full = make_key(name="Full", scopes=ALL_SCOPES).key
    idle = make_key(name="Idle", scopes=["search:read"]).key
    with transactions.allowed():
        ApiKey.objects.filter(pk=idle.pk).update(
            created_at=now - timedelta(days=60), last_used_at=now - timedelta(days=47)
        )
        ApiKey.objects.filter(pk=full.pk).update(created_by=member)
    set_service_account_enabled(machine, enabled=False, actor=SYSTEM)
    remove_member(Membership.objects.get(user=member), actor=SYSTEM)

    page = browser.get(developer(acme))

    assert "Soon Test" in _row(page, ">Soon<")
    assert "Expiring soon" in _row(page, ">Soon<")
    assert "in 3 days" in _row(page, ">Soon<")
    assert "Disabled Since " in _row(page, ">Off<")
    assert "2 of 5 permissions of Off Read only" in _row(page, ">Off<")
    assert "Rotating Old secret until " in _row(page, ">Turning<")
    assert "Disabled With its service account" in _row(page, ">Machine<")
    assert "for the service account Importer" in _row(page, ">Machine<")
    assert "5 of 5 permissions of Full Full access" in _row(page, ">Full<")
    assert "Max Member left" in _row(page, ">Full<")
    assert "1 of 5 permissions of Idle search:read" in _row(page, ">Idle<")
    assert "47 days ago Unused · Review Idle" in _row(page, ">Idle<")
    assert "Never used" in _row(page, ">Off<")
    assert _names(browser.get(developer(acme, "?status=unused"))) == ["Idle"]


def test_a_sparkline_appears_with_use_alone(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    used, idle = make_key(name="Used").key, make_key(name="Idle").key
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    KeyUsage.objects.create(key=used, hour=hour, result="ok", requests=3)
    with transactions.allowed():
        ApiKey.objects.filter(pk__in=[used.pk, idle.pk]).update(last_used_at=timezone.now())

    text = html(browser.get(developer(acme)))

    assert text.count('class="spark"') == 1
    assert "Used: 3 requests in 30 days, 0 rejected" in text


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
