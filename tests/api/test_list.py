"""GET /v1/api-keys: which keys are listed. tests/api/formats/test_pagination.py tests pages."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from tests.support.api import KEYS, MakeKey, one
from tests.support.client import ApiClient


def names(call: ApiClient, key: Issued, **query: str) -> list[str]:
    """The names listed, in order."""
    return [item["name"] for item in call("GET", KEYS, key=key, query=query).body["data"]]


def test_the_answer_is_a_list_object(call: ApiClient, manager: Issued) -> None:
    answer = call("GET", KEYS, key=manager)

    assert answer.status == 200
    assert list(answer.body) == ["object", "data", "has_more", "pagination", "request_id"]
    assert answer.body["object"] == "list"
    assert answer.body["has_more"] is False
    assert answer.body["pagination"] == {"cursor": None}
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]


def test_each_item_is_what_reading_it_answers(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    call("GET", KEYS, key=manager)
    listed = call("GET", KEYS, key=manager).body["data"]
    read = [call("GET", one(issued), key=manager).body for issued in (reader, manager)]

    for body in read:
        del body["request_id"]
    assert listed == read


def test_keys_come_newest_first(call: ApiClient, manager: Issued, make_key: MakeKey) -> None:
    for name in ("first", "second", "third"):
        make_key(name=name)

    assert names(call, manager) == ["third", "second", "first", "Manager"]


def test_keys_of_other_organizations_are_not_listed(
    call: ApiClient, manager: Issued, foreigner: Issued
) -> None:
    listed = call("GET", KEYS, key=foreigner).body["data"]

    assert [item["id"] for item in listed] == [foreigner.key.public_id]


def test_a_test_key_lists_test_keys_only(call: ApiClient, manager: Issued, sandbox: Issued) -> None:
    assert names(call, sandbox) == ["Sandbox"]
    assert names(call, manager) == ["Sandbox", "Manager"]


def test_a_key_without_the_scope_may_not_list(call: ApiClient, reader: Issued) -> None:
    answer = call("GET", KEYS, key=reader)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")


def test_listing_without_a_key_is_401(call: ApiClient, db: None) -> None:
    assert call("GET", KEYS).status == 401


@pytest.mark.parametrize("status", ["active", "disabled", "expired", "revoked"])
def test_the_status_filter_agrees_with_the_status_shown(
    call: ApiClient, make_key: MakeKey, as_admin: Actor, manager: Issued, status: str
) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    made = {name: make_key(name=name, expires_at=end) for name in ("expired", "revoked too late")}
    made |= {name: make_key(name=name) for name in ("disabled", "revoked")}
    services.set_api_key_enabled(made["disabled"].key, enabled=False, actor=as_admin)
    for name in ("revoked", "revoked too late"):
        services.revoke_api_key(made[name].key, actor=as_admin)

    with time_machine.travel(end):
        items = call("GET", KEYS, key=manager, query={"status": status}).body["data"]

    expected = {
        "active": ["Manager"],
        "disabled": ["disabled"],
        "expired": ["expired"],
        "revoked": ["revoked", "revoked too late"],
    }
    assert sorted(item["name"] for item in items) == expected[status]
    assert {item["status"] for item in items} == {status}


@pytest.mark.parametrize("name", ["Straße 7", "straße 7", "STRASSE 7", "  Straße 7  "])
def test_the_name_filter_is_exact_but_for_case(
    call: ApiClient, manager: Issued, make_key: MakeKey, name: str
) -> None:
    make_key(name="Straße 7")
    make_key(name="Straße 77")

    assert names(call, manager, name=name) == ["Straße 7"]


@pytest.mark.parametrize("name", ["Manage", "Man%", "M_nager", "", "Manager\\", "nobody"])
def test_the_name_filter_matches_no_part_and_no_pattern(
    call: ApiClient, manager: Issued, name: str
) -> None:
    assert names(call, manager, name=name) == []


def test_filters_combine(call: ApiClient, manager: Issued, make_key: MakeKey) -> None:
    make_key(name="Twin")

    assert names(call, manager, name="twin", status="active") == ["Twin"]
    assert names(call, manager, name="twin", status="revoked") == []


def test_head_answers_like_get_without_a_body(call: ApiClient, manager: Issued) -> None:
    call("GET", KEYS, key=manager)
    get, head = call("GET", KEYS, key=manager), call("HEAD", KEYS, key=manager)

    assert (head.status, head.raw) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
