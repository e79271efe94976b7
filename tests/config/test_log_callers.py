"""Every log line of a request contains its caller: the key or user, and the organization."""

from typing import Any

import pytest
from django.test import Client

from apikeys import services, tokens
from apikeys.services import Issued
from config.wsgi_shield import MOST, shielded
from core.actors import Actor
from organizations.models import Membership, Organization, User
from tests.admin.support import enter
from tests.pages.support import sign_in
from tests.support.api import KEYS, MakeKey
from tests.support.client import ApiClient
from tests.support.dialects import DIALECTS
from tests.support.logs import Lines

MISSING = "key_0000000000000000000000"


def _of(issued: Issued) -> dict[str, str]:
    return {
        "key_id": issued.key.public_id,
        "organization_id": issued.key.organization.public_id,
    }


def _callers(lines: Lines) -> list[dict[str, Any]]:
    """Who asked, in each line that belongs to a request."""
    names = ("key_id", "organization_id", "person")
    said = [line for line in lines() if "request_id" in line]
    return [{name: line[name] for name in names if name in line} for line in said]


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_a_refused_call_names_its_key_in_each_format(
    dialect: Any, call: ApiClient, lines: Lines, acme: Organization, reader: Issued, manager: Issued
) -> None:
    keys = dialect.keys(acme)
    forbidden = call("GET", keys, key=reader)
    missing = call("DELETE", f"{keys}/{MISSING}", key=manager)

    assert (forbidden.status, missing.status) == (403, 404)
    assert _callers(lines) == [_of(reader), _of(manager)]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_a_call_that_fails_in_another_way_names_its_key(
    method: str, call: ApiClient, lines: Lines, manager: Issued
) -> None:
    answer = call(method, KEYS, key=manager, body={"nonsense": 1})

    assert 400 <= answer.status < 500
    assert _callers(lines) == [_of(manager)]


def test_lines_about_a_key_that_is_refused_name_it(
    call: ApiClient, lines: Lines, reader: Issued, as_admin: Actor
) -> None:
    services.revoke_api_key(reader.key, actor=as_admin)
    call("GET", KEYS, key=reader)

    events = [line["event"] for line in lines() if "request_id" in line]
    assert events == ["api_key_refused", "request"]
    assert _callers(lines) == [_of(reader)] * 2


def test_a_changed_key_is_logged_with_the_key_that_asked(
    call: ApiClient, lines: Lines, manager: Issued, make_key: MakeKey
) -> None:
    other = make_key(name="Other")
    call("DELETE", f"{KEYS}/{other.key.public_id}", key=manager)

    assert _callers(lines) == [_of(manager)]


def test_a_key_that_ignores_429_is_named(
    client: Client, lines: Lines, reader: Issued, set_limit: Any
) -> None:
    """The line comes from outside of Django, which answers in the place of a server here."""
    set_limit(1)
    headers = {"Authorization": f"Bearer {reader.secret}"}
    server = shielded(lambda environ, start: client.get(KEYS, headers=headers))
    sent = {"HTTP_AUTHORIZATION": headers["Authorization"]}
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": KEYS, **sent}
    for _ in range(MOST + 2):
        list(server(environ, lambda status, headers: None))

    (line,) = [line for line in lines() if line["event"] == "caller_ignores_refusals"]
    assert _of(reader).items() <= line.items()


@pytest.mark.parametrize(
    "key",
    [None, "nonsense", tokens.generate("sig", tokens.Environment.LIVE)],
    ids=["none", "nonsense", "unknown"],
)
def test_a_call_without_a_genuine_key_names_none(
    key: str | None, call: ApiClient, lines: Lines, db: None
) -> None:
    call("GET", KEYS, key=key)

    assert all(caller == {} for caller in _callers(lines))


def test_pages_name_the_person_and_the_organization(
    lines: Lines, acme: Organization, member: User, outsider: User
) -> None:
    client, stranger = sign_in(member), sign_in(outsider)
    before = len(_callers(lines))
    nobody = Membership.objects.get(user=member).pk
    asked = [
        client.get("/o/acme/settings/"),
        client.get("/o/acme/settings/developer/"),
        client.post("/o/acme/settings/leave/", {}),
        stranger.get("/o/acme/settings/"),
        client.get("/o/acme/nothing/"),
        Client().get(f"/o/acme/settings/members/{nobody}/role/"),
    ]

    statuses = [answer.status_code for answer in asked]
    within = {"person": member.public_id, "organization_id": acme.public_id}
    assert statuses == [200, 403, 303, 404, 404, 302]
    assert _callers(lines)[before:] == [
        within,
        within,
        within,
        {"person": outsider.public_id},
        {"person": member.public_id},
        {},
    ]


def test_pages_of_the_staff_name_them(lines: Lines, staff: User, member: User) -> None:
    enter(Client(), staff).get("/admin/organizations/user/")
    refused = enter(Client(), member).get("/admin/organizations/user/")

    assert refused.status_code in (302, 403)
    assert _callers(lines) == [{"person": staff.public_id}, {"person": member.public_id}]
