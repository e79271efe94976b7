"""The key list: search, status, order and pagination in a constant number of queries."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey
from apikeys.pages.keys.key_list import COUNTED
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations.models import Organization, User
from organizations.services import set_api_access
from tests.factories import SYSTEM
from tests.pages.support import add_many_keys, developer, html

#: Session, person, membership, role; the switcher; counts, keys, their secrets, their usage.
LIST_QUERIES = 9


def _names(answer: Any) -> list[str]:
    return [row["key"].name for row in answer.context["rows"]]


def test_empty(browser: Client, acme: Organization) -> None:
    text = html(browser.get(developer(acme)))

    assert "This organization has no API keys" in text
    assert acme.public_id in text
    assert 'role="search"' not in text


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

    assert '<p class="quiet" data-count>1 key matches</p>' in found
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
    assert "Page 1 of 3" in html(first)
    assert not set(_names(first)) & set(_names(last))


def test_of_many_keys_the_list_shows_pages_and_no_numbers(
    browser: Client, acme: Organization, admin: User
) -> None:
    add_many_keys(acme, admin, COUNTED + 10)

    pages = {n: browser.get(developer(acme, f"?sort=name&page={n}")) for n in (1, 2, 81, 999)}

    assert _names(pages[1]) == [f"Bulk {n:05}" for n in range(25)]
    assert _names(pages[2]) == [f"Bulk {n:05}" for n in range(25, 50)]
    assert _names(pages[81]) == _names(pages[999]) == [f"Bulk {n:05}" for n in range(2000, 2010)]
    assert ["Next" in html(p) for p in pages.values()] == [True, True, False, False]
    assert ["Previous</a>" in html(p) for p in pages.values()] == [False, *[True] * 3]
    first = html(pages[1])
    assert "<span>Page 1</span>" in first
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
    assert "No keys have this status." in html(none)


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
    assert (
        text.count("/edit/") == text.count("/switch/") == text.count('/delete/" data-dialog') == 2
    )


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
