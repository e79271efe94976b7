"""The templates of an account, from signus-developer-settings.txt."""

import re
from typing import Any

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.api import UTC_Z, MakeKey, never, templates
from tests.support.client import ApiClient

BODY: dict[str, Any] = {"name": "Search only", "scopes": ["search:read"]}
FIELDS = ["id", "name", "description", "scopes", "lifetimeDays", "createdAt", "updatedAt"]


@pytest.mark.parametrize("form", ["uuid", "org_"])
def test_the_call_of_the_document_answers_for_either_form_of_the_account_id(
    call: ApiClient, reader: Issued, acme: Organization, form: str
) -> None:
    for _ in range(6):
        TemplateFactory.create(organization=acme)
    account = acme.id if form == "uuid" else acme.public_id

    path = f"/v1/accounts/{account}/templates?pageIndex=0&pageSize=5"
    answer = call("GET", path, key=reader)

    assert answer.status == 200
    assert list(answer.body) == ["items", "pageIndex", "pageSize", "totalCount"]
    assert len(answer.body["items"]) == 5
    assert (answer.body["pageIndex"], answer.body["pageSize"]) == (0, 5)
    assert answer.body["totalCount"] == 6


def test_an_item_has_every_field_of_the_contract(
    call: ApiClient, reader: Issued, acme: Organization
) -> None:
    template = TemplateFactory.create(
        organization=acme, name="CI", description="For jobs", lifetime_days=30
    )

    item = call("GET", templates(acme), key=reader).body["items"][0]

    assert list(item) == FIELDS
    assert item["id"] == template.public_id
    assert re.fullmatch(r"tpl_[0-9A-Za-z]{22}", item["id"])
    assert (item["name"], item["description"]) == ("CI", "For jobs")
    assert (item["scopes"], item["lifetimeDays"]) == (["search:read"], 30)
    assert UTC_Z.fullmatch(item["createdAt"])
    assert UTC_Z.fullmatch(item["updatedAt"])


def test_pages_come_oldest_first_and_end_where_the_templates_do(
    call: ApiClient, reader: Issued, acme: Organization
) -> None:
    made = [TemplateFactory.create(organization=acme).name for _ in range(5)]

    pages = [
        call("GET", templates(acme), key=reader, query={"pageIndex": page, "pageSize": 2}).body
        for page in range(4)
    ]

    listed = [[item["name"] for item in page["items"]] for page in pages]
    assert listed == [made[:2], made[2:4], made[4:], []]
    assert {page["totalCount"] for page in pages} == {5}


@pytest.mark.parametrize("size", [1, 100])
def test_a_page_size_within_its_bounds_is_taken(
    call: ApiClient, reader: Issued, acme: Organization, size: int
) -> None:
    answer = call("GET", templates(acme), key=reader, query={"pageSize": size})

    assert answer.body["pageSize"] == size


@pytest.mark.parametrize("name", ["pageSize", "pageIndex"])
@pytest.mark.parametrize("value", ["-1", "7x", "abc", "", "1.5", "٣", "9" * 30, "0x1", " 1", "\0"])
def test_a_page_that_is_no_number_within_bounds_is_400(
    call: ApiClient, reader: Issued, acme: Organization, name: str, value: str
) -> None:
    answer = call("GET", templates(acme), key=reader, query={name: value})

    assert (answer.status, answer.fields) == (400, [name])


@pytest.mark.parametrize("size", ["0", "101"])
def test_a_page_size_out_of_bounds_is_400(
    call: ApiClient, reader: Issued, acme: Organization, size: str
) -> None:
    answer = call("GET", templates(acme), key=reader, query={"pageSize": size})

    assert (answer.status, answer.error["message"]) == (400, "Give a whole number from 1 to 100.")


@pytest.mark.parametrize("name", ["page", "pageindex", "page_size", "limit"])
def test_an_unknown_parameter_is_400_and_named(
    call: ApiClient, reader: Issued, acme: Organization, name: str
) -> None:
    answer = call("GET", templates(acme), key=reader, query={name: "1"})

    assert (answer.status, answer.fields) == (400, [name])


def test_a_lifetime_with_a_fraction_of_zero_is_an_integer(
    call: ApiClient, manager: Issued, acme: Organization
) -> None:
    made = call("POST", templates(acme), {**BODY, "lifetimeDays": 90.0}, key=manager)
    changed = call("PATCH", made.headers["Location"], {"lifetimeDays": 30.0}, key=manager)

    assert (made.status, made.body["lifetimeDays"]) == (201, 90)
    assert (changed.status, changed.body["lifetimeDays"]) == (200, 30)
    assert b'"lifetimeDays":30,' in changed.raw


def test_a_template_can_be_made_read_changed_and_deleted(
    call: ApiClient, manager: Issued, acme: Organization
) -> None:
    made = call("POST", templates(acme), {**BODY, "lifetimeDays": 90}, key=manager)
    path = made.headers["Location"]

    assert (made.status, list(made.body)) == (201, FIELDS)
    assert path == f"{templates(acme)}/{made.body['id']}"
    assert call("GET", path, key=manager).body == made.body
    changed = call("PATCH", path, {"lifetimeDays": None, "name": "New"}, key=manager)
    assert (changed.status, changed.body["name"]) == (200, "New")
    assert changed.body["lifetimeDays"] is None
    deleted = call("DELETE", path, key=manager)
    assert (deleted.status, deleted.raw) == (204, b"")
    assert call("GET", path, key=manager).status == 404


def test_a_key_without_the_scope_may_read(
    call: ApiClient, reader: Issued, acme: Organization
) -> None:
    template = TemplateFactory.create(organization=acme)

    assert call("GET", templates(acme), key=reader).status == 200
    assert call("GET", f"{templates(acme)}/{template.public_id}", key=reader).status == 200


@pytest.mark.parametrize(("method", "one"), [("POST", ""), ("PATCH", "/{}"), ("DELETE", "/{}")])
def test_a_key_without_the_scope_may_not_write(
    call: ApiClient, reader: Issued, acme: Organization, method: str, one: str
) -> None:
    template = TemplateFactory.create(organization=acme)
    path = templates(acme) + one.format(template.public_id)

    answer = call(method, path, BODY, key=reader)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(("method", "one"), [("POST", ""), ("PATCH", "/{}"), ("DELETE", "/{}")])
def test_a_test_key_may_not_write_what_shapes_live_keys(
    call: ApiClient, sandbox: Issued, acme: Organization, method: str, one: str
) -> None:
    template = TemplateFactory.create(organization=acme)
    path = templates(acme) + one.format(template.public_id)

    answer = call(method, path, BODY, key=sandbox)

    assert (answer.status, answer.error["code"]) == (403, "live_key_required")


def test_a_lesser_key_cannot_write_scopes_that_it_lacks(
    call: ApiClient, make_key: MakeKey, acme: Organization
) -> None:
    lesser = make_key(scopes=["api-keys:manage", "search:read"])
    template = TemplateFactory.create(organization=acme)
    body = {"name": "More", "scopes": ["search:read", "events:read"]}

    made = call("POST", templates(acme), body, key=lesser)
    changed = call("PATCH", f"{templates(acme)}/{template.public_id}", body, key=lesser)

    assert [a.status for a in (made, changed)] == [403, 403]
    assert made.fields == changed.fields == ["scopes"]
    assert made.error["code"] == changed.error["code"] == "insufficient_scope"


def test_a_foreign_account_and_one_that_never_was_get_one_answer(
    call: ApiClient, manager: Issued, globex: Organization
) -> None:
    foreign = call("GET", templates(globex), key=manager)
    missing = call("GET", f"/v1/accounts/{never('org')}/templates", key=manager)

    assert foreign.status == missing.status == 404
    assert foreign.error == missing.error


def test_a_template_of_another_organization_is_not_under_one_s_own_account(
    call: ApiClient, manager: Issued, acme: Organization, globex: Organization
) -> None:
    foreign = TemplateFactory.create(organization=globex)

    for method in ("GET", "PATCH", "DELETE"):
        answer = call(method, f"{templates(acme)}/{foreign.public_id}", {}, key=manager)
        assert answer.status == 404


def test_a_name_that_exists_is_409(call: ApiClient, manager: Issued, acme: Organization) -> None:
    call("POST", templates(acme), BODY, key=manager)
    answer = call("POST", templates(acme), {**BODY, "name": "SEARCH only"}, key=manager)

    assert (answer.status, answer.error["code"]) == (409, "name_taken")
