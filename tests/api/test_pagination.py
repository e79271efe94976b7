"""Pages of keys by cursor."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apikeys import services
from apikeys.services import Issued
from organizations.actors import Actor
from tests.client import ApiClient
from tests.support_api import KEYS, MakeKey


def pages(
    call: ApiClient, key: Issued, between: Callable[[], object] = lambda: None, **query: Any
) -> Iterator[list[str]]:
    """The names of each page, with `between` done after every one."""
    cursor: str | None = None
    while True:
        given = {**query, "cursor": cursor} if cursor else query
        body = call("GET", KEYS, key=key, query=given).body
        yield [item["name"] for item in body["data"]]
        cursor = body["pagination"]["cursor"]
        assert body["has_more"] is (cursor is not None)
        if cursor is None:
            return
        between()


@pytest.fixture
def seven(make_key: MakeKey, manager: Issued) -> list[str]:
    """Names in the order of the list: Manager, which is the oldest, and six more."""
    newer = [make_key(name=f"key {n}").key.name for n in range(6)]
    return [*reversed(newer), "Manager"]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_walking_gives_every_key_once_in_pages_of_the_limit(
    call: ApiClient, manager: Issued, seven: list[str], limit: int
) -> None:
    walked = list(pages(call, manager, limit=limit))

    assert [name for page in walked for name in page] == seven
    assert [len(page) for page in walked[:-1]] == [limit] * (len(walked) - 1)
    assert 1 <= len(walked[-1]) <= limit


def test_keys_made_meanwhile_neither_repeat_nor_hide_others(
    call: ApiClient, manager: Issued, seven: list[str], make_key: MakeKey
) -> None:
    walked = [n for page in pages(call, manager, between=make_key, limit=2) for n in page]

    assert walked == seven


def test_keys_revoked_or_renamed_meanwhile_stay_in_their_place(
    call: ApiClient, manager: Issued, make_key: MakeKey, as_admin: Actor
) -> None:
    made = [make_key(name=f"key {n}") for n in range(4)]
    left = iter(made)

    def revoke_one() -> None:
        services.revoke_api_key(next(left).key, actor=as_admin)

    walked = [n for page in pages(call, manager, between=revoke_one, limit=2) for n in page]

    assert walked == ["key 3", "key 2", "key 1", "key 0", "Manager"]


def test_the_key_at_the_cursor_may_go_out_of_the_filter(
    call: ApiClient, manager: Issued, make_key: MakeKey, as_admin: Actor
) -> None:
    made = [make_key(name=f"key {n}") for n in range(4)]
    newest = iter(reversed(made))

    def revoke_newest() -> None:
        services.revoke_api_key(next(newest).key, actor=as_admin)

    walk = pages(call, manager, between=revoke_newest, limit=1, status="active")

    assert [n for page in walk for n in page] == ["key 3", "key 2", "key 1", "key 0", "Manager"]


def test_the_same_cursor_gives_the_same_page(
    call: ApiClient, manager: Issued, seven: list[str]
) -> None:
    cursor = call("GET", KEYS, key=manager, query={"limit": 2}).body["pagination"]["cursor"]
    query = {"limit": 2, "cursor": cursor}

    first, second = (call("GET", KEYS, key=manager, query=query).body for _ in range(2))

    assert [k["name"] for k in first["data"]] == seven[2:4]
    assert first["data"] == second["data"]


def test_the_limit_may_change_on_the_way(
    call: ApiClient, manager: Issued, seven: list[str]
) -> None:
    cursor = call("GET", KEYS, key=manager, query={"limit": 2}).body["pagination"]["cursor"]

    rest = call("GET", KEYS, key=manager, query={"limit": 100, "cursor": cursor}).body

    assert [item["name"] for item in rest["data"]] == seven[2:]


def test_twenty_keys_are_a_page_where_no_limit_is_given(
    call: ApiClient, manager: Issued, make_key: MakeKey
) -> None:
    for _ in range(20):
        make_key()

    body = call("GET", KEYS, key=manager).body

    assert (len(body["data"]), body["has_more"]) == (20, True)


def test_a_full_last_page_has_no_more(call: ApiClient, manager: Issued, seven: list[str]) -> None:
    body = call("GET", KEYS, key=manager, query={"limit": 7}).body

    assert (len(body["data"]), body["has_more"], body["pagination"]) == (7, False, {"cursor": None})


def test_a_filtered_walk_stays_within_its_filter(
    call: ApiClient, manager: Issued, make_key: MakeKey, as_admin: Actor
) -> None:
    for n in range(6):
        issued = make_key(name=f"key {n}")
        if n % 2:
            services.revoke_api_key(issued.key, actor=as_admin)

    walked = list(pages(call, manager, limit=2, status="revoked"))

    assert walked == [["key 5", "key 3"], ["key 1"]]


def test_the_name_filter_pages_through_revoked_namesakes(
    call: ApiClient, manager: Issued, make_key: MakeKey, as_admin: Actor
) -> None:
    for _ in range(3):
        services.revoke_api_key(make_key(name="Twin").key, actor=as_admin)

    assert list(pages(call, manager, limit=2, name="TWIN")) == [["Twin"] * 2, ["Twin"]]


def test_a_cursor_shows_no_id_of_another_organization_and_no_secret(
    call: ApiClient, manager: Issued, seven: list[str]
) -> None:
    cursor = call("GET", KEYS, key=manager, query={"limit": 1}).body["pagination"]["cursor"]

    assert len(cursor) < 200
    assert manager.secret[13:] not in cursor


def test_two_keys_of_one_organization_share_their_cursors(
    call: ApiClient, manager: Issued, seven: list[str], make_key: MakeKey
) -> None:
    other = make_key(scopes=["api-keys:manage"])
    cursor = call("GET", KEYS, key=manager, query={"limit": 1}).body["pagination"]["cursor"]

    assert call("GET", KEYS, key=other, query={"cursor": cursor}).status == 200
