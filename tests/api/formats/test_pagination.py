"""Cursor pagination of keys."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from organizations.models import Organization
from tests.support.api import MakeKey
from tests.support.client import ApiClient
from tests.support.dialects import Dialect, that_can

pytestmark = [pytest.mark.django_db, that_can("pages")]
Page = dict[str, Any]
Read = Callable[..., Page]
Pages = Callable[..., Iterator[list[str]]]


@pytest.fixture
def read(call: ApiClient, dialect: Dialect, acme: Organization, manager: Issued) -> Read:
    """A page: its names, the cursor of the next one, and the body."""

    def ask(key: Issued = manager, **query: Any) -> Page:
        answer = call("GET", dialect.keys(acme), key=key, query=query)
        assert answer.status == 200, answer.raw
        names = [item["name"] for item in dialect.items(answer.body)]
        cursor = dialect.next_cursor(answer.body)
        assert answer.body.get("has_more", cursor is not None) is (cursor is not None)
        return {"names": names, "cursor": cursor, "items": dialect.items(answer.body)}

    return ask


@pytest.fixture
def pages(read: Read) -> Pages:
    """The names of each page, with `between` done after every one."""

    def walk(between: Callable[[], object] = lambda: None, **query: Any) -> Iterator[list[str]]:
        page = read(**query)
        yield page["names"]
        while page["cursor"]:
            between()
            page = read(**query, cursor=page["cursor"])
            yield page["names"]

    return walk


@pytest.fixture
def seven(make_key: MakeKey, manager: Issued) -> list[str]:
    """Names in the order of the list: Manager, which is the oldest, and six more."""
    newer = [make_key(name=f"key {n}").key.name for n in range(6)]
    return [*reversed(newer), "Manager"]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_walking_gives_every_key_once_in_pages_of_the_limit(
    pages: Pages, seven: list[str], limit: int
) -> None:
    walked = list(pages(limit=limit))

    assert [name for page in walked for name in page] == seven
    assert [len(page) for page in walked[:-1]] == [limit] * (len(walked) - 1)
    assert 1 <= len(walked[-1]) <= limit


def test_keys_made_meanwhile_neither_repeat_nor_hide_others(
    pages: Pages, seven: list[str], make_key: MakeKey
) -> None:
    walked = [n for page in pages(between=make_key, limit=2) for n in page]

    assert walked == seven


def test_keys_revoked_or_renamed_meanwhile_stay_in_their_place(
    pages: Pages, make_key: MakeKey, as_admin: Actor
) -> None:
    made = [make_key(name=f"key {n}") for n in range(4)]
    left = iter(made)

    def revoke_one() -> None:
        services.revoke_api_key(next(left).key, actor=as_admin)

    walked = [n for page in pages(between=revoke_one, limit=2) for n in page]

    assert walked == ["key 3", "key 2", "key 1", "key 0", "Manager"]


def test_the_key_at_the_cursor_may_go_out_of_the_filter(
    pages: Pages, make_key: MakeKey, as_admin: Actor
) -> None:
    made = [make_key(name=f"key {n}") for n in range(4)]
    newest = iter(reversed(made))

    def revoke_newest() -> None:
        services.revoke_api_key(next(newest).key, actor=as_admin)

    walk = pages(between=revoke_newest, limit=1, status="active")

    assert [n for page in walk for n in page] == ["key 3", "key 2", "key 1", "key 0", "Manager"]


def test_the_same_cursor_gives_the_same_page(read: Read, seven: list[str]) -> None:
    cursor = read(limit=2)["cursor"]

    first, second = (read(limit=2, cursor=cursor) for _ in range(2))

    assert first["names"] == seven[2:4]
    assert first["items"] == second["items"]


def test_the_limit_may_change_on_the_way(read: Read, seven: list[str]) -> None:
    cursor = read(limit=2)["cursor"]

    assert read(limit=100, cursor=cursor)["names"] == seven[2:]


def test_twenty_keys_are_a_page_where_no_limit_is_given(read: Read, make_key: MakeKey) -> None:
    for _ in range(20):
        make_key()

    page = read()

    assert (len(page["names"]), page["cursor"] is not None) == (20, True)


def test_a_full_last_page_has_no_more(read: Read, seven: list[str]) -> None:
    page = read(limit=7)

    assert (len(page["names"]), page["cursor"]) == (7, None)


def test_a_filtered_walk_stays_within_its_filter(
    pages: Pages, make_key: MakeKey, as_admin: Actor
) -> None:
    for n in range(6):
        issued = make_key(name=f"key {n}")
        if n % 2:
            services.revoke_api_key(issued.key, actor=as_admin)

    walked = list(pages(limit=2, status="revoked"))

    assert walked == [["key 5", "key 3"], ["key 1"]]


def test_the_name_filter_pages_through_revoked_namesakes(
    pages: Pages, make_key: MakeKey, as_admin: Actor
) -> None:
    for _ in range(3):
        services.revoke_api_key(make_key(name="Twin").key, actor=as_admin)

    assert list(pages(limit=2, name="TWIN")) == [["Twin"] * 2, ["Twin"]]


def test_a_cursor_shows_no_id_of_another_organization_and_no_secret(
    read: Read, manager: Issued, seven: list[str]
) -> None:
    cursor = read(limit=1)["cursor"]

    assert len(cursor) < 200
    assert manager.secret[13:] not in cursor


def test_two_keys_of_one_organization_share_their_cursors(
    read: Read, seven: list[str], make_key: MakeKey
) -> None:
    other = make_key(scopes=["api-keys:manage"])
    cursor = read(limit=1)["cursor"]

    assert read(key=other, cursor=cursor)["names"] == seven
