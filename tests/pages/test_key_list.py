"""The key list: search, order and pagination in a constant number of queries."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey
from apikeys.pages.keys.key_list import COUNTED, PAGE_SIZE
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations.models import Organization, User
from tests.pages.support import add_many_keys, developer, html, listed_names

#: Session, person, membership, role; the switcher; counts, keys, their secrets, those that a
#: rotation will end, and their usage; people and service accounts to choose from.
LIST_QUERIES = 12


def _leads(answer: Any, way: str) -> bool:
    """Whether there is a link to the next or the previous page."""
    return bool(re.search(rf"<a [^>]*>(?:(?!</a>).)*{way}", html(answer), re.I))


def test_search_by_name_and_by_id(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    production = make_key(name="Production").key
    make_key(name="Staging")

    assert listed_names(browser.get(developer(acme, "?q=PROD"))) == ["Production"]
    assert listed_names(browser.get(developer(acme, f"?q={production.public_id}"))) == [
        "Production"
    ]
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
        assert listed_names(browser.get(developer(acme), {"q": prefix})) == ["Production"]


def test_a_prefix_finds_nothing_elsewhere(
    browser: Client, acme: Organization, foreigner: Issued
) -> None:
    assert listed_names(browser.get(developer(acme), {"q": foreigner.key.key_prefix})) == []


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
    assert "You entered a full secret. Only its prefix was kept." in html(shown)


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
        return set(listed_names(browser.get(developer(acme, f"?status={state}"))))

    page = browser.get(developer(acme))
    assert set(listed_names(page)) == {"Active", "Soon", "Off", "Ended"}
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

    assert listed_names(up) == ["A", "b", "C"]
    assert listed_names(down) == ["C", "b", "A"]
    assert html(up).count('aria-sort="ascending"') == 1
    assert html(down).count('aria-sort="descending"') == 1


def test_pages(browser: Client, acme: Organization, admin: User) -> None:
    add_many_keys(acme, admin, 60)

    first, last = browser.get(developer(acme)), browser.get(developer(acme, "?page=3"))

    assert len(listed_names(first)) == 25
    assert len(listed_names(last)) == 10
    assert "1–25 of 60 keys" in html(first)
    assert "51–60 of 60 keys" in html(last)
    assert 'max="3" value="1"' in html(first)
    assert not set(listed_names(first)) & set(listed_names(last))


def test_of_many_keys_the_list_shows_pages_and_no_numbers(
    browser: Client, acme: Organization, admin: User
) -> None:
    add_many_keys(acme, admin, COUNTED + 10)

    pages = {n: browser.get(developer(acme, f"?sort=name&page={n}")) for n in (1, 2, 81, 999)}

    assert listed_names(pages[1]) == [f"Bulk {n:05}" for n in range(25)]
    assert listed_names(pages[2]) == [f"Bulk {n:05}" for n in range(25, 50)]
    assert (
        listed_names(pages[81])
        == listed_names(pages[999])
        == [f"Bulk {n:05}" for n in range(2000, 2010)]
    )
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

    assert listed_names(first) + listed_names(second) == [f"Bulk {n:05}" for n in range(30)]
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
