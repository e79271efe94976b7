"""Every operation in every format that has it."""

from typing import Any

import pytest

from apikeys.models import ApiKey, Status
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from organizations.models import AuditEvent, Organization, ServiceAccount
from tests.api.formats.conftest import Send
from tests.factories import ServiceAccountFactory
from tests.support.api import CURRENT, REQUEST_ID, UTC_Z, MakeKey, stored
from tests.support.client import Answer, ApiClient
from tests.support.dialects import DIALECTS, Dialect, that_can

pytestmark = pytest.mark.django_db


def _seen(dialect: Dialect, body: Any) -> dict[str, Any]:
    return dialect.key(dialect.data(body))


def test_create(send: Send, dialect: Dialect, acme: Organization) -> None:
    answer = send("POST", name="  Production ", scopes=["search:read"], description="Shop")

    seen, key = _seen(dialect, answer.body), ApiKey.objects.get(name="Production")
    assert answer.status == dialect.created
    assert seen["id"] == dialect.id_of(key)
    assert seen["name"] == "Production"
    assert seen["key_prefix"] == key.key_prefix
    assert UTC_Z.fullmatch(seen["created_at"])
    assert verify(seen["key"]).found is not None
    assert answer.headers["Location"] == f"{dialect.keys(acme)}/{seen['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert AuditEvent.objects.get(event="api_key.created", target_id=key.pk).actor_kind == "key"


def test_the_secret_is_in_no_other_answer(send: Send, dialect: Dialect) -> None:
    secret = _seen(dialect, send("POST", name="Production", scopes=["search:read"]).body)["key"]

    for answer in (send("GET"), send("DELETE", f"/{ApiKey.objects.get(name='Production').pk}")):
        assert secret not in answer.raw.decode()


def test_whatever_one_format_makes_the_others_show(
    call: ApiClient, dialect: Dialect, send: Send, acme: Organization, manager: Issued
) -> None:
    send("POST", name="Production", scopes=["search:read"])

    for other in DIALECTS:
        listed = other.items(call("GET", other.keys(acme), key=manager).body)
        assert "Production" in [item["name"] for item in listed]


def test_the_list_is_newest_first_and_has_no_secret(
    send: Send, dialect: Dialect, make_key: MakeKey, manager: Issued
) -> None:
    for name in ("One", "Two"):
        make_key(name=name)

    items = [dialect.key(item) for item in dialect.items(send("GET").body)]

    assert [item["name"] for item in items] == ["Two", "One", "Manager"]
    assert all("key" not in item for item in items)


@that_can("pages")
def test_pages(send: Send, dialect: Dialect, make_key: MakeKey) -> None:
    for number in range(4):
        make_key(name=f"Key {number}")

    first = send("GET", "?limit=3").body
    cursor = dialect.next_cursor(first)
    second = send("GET", f"?limit=3&cursor={cursor}").body

    names = [item["name"] for body in (first, second) for item in dialect.items(body)]
    assert names == ["Key 3", "Key 2", "Key 1", "Key 0", "Manager"]


@that_can("read")
def test_read(send: Send, dialect: Dialect, make_key: MakeKey) -> None:
    issued = make_key(name="Target", description="For tests")

    for spelling in (issued.key.public_id, str(issued.key.pk)):
        seen = _seen(dialect, send("GET", f"/{spelling}").body)
        assert seen["id"] == dialect.id_of(issued.key)
        assert (seen["name"], seen["description"]) == ("Target", "For tests")
        assert "key" not in seen


@that_can("current")
def test_current(call: ApiClient, dialect: Dialect, acme: Organization, reader: Issued) -> None:
    answer = call("GET", f"{dialect.keys(acme)}/current", key=reader)

    assert _seen(dialect, answer.body)["id"] == reader.key.public_id


@that_can("update")
def test_update(send: Send, dialect: Dialect, make_key: MakeKey) -> None:
    key = make_key(name="Before", description="Old", metadata={"__proto__": "x", "a.b": "y"}).key

    answer = send("PATCH", f"/{key.public_id}", name="After", description="")

    assert answer.status == 200
    assert _seen(dialect, answer.body)["name"] == "After"
    key.refresh_from_db()
    assert (key.name, key.description) == ("After", "")
    assert key.metadata == {"__proto__": "x", "a.b": "y"}


@that_can("update")
def test_disabling_and_enabling(send: Send, dialect: Dialect, make_key: MakeKey) -> None:
    issued = make_key(name="Target")

    send("PATCH", f"/{issued.key.public_id}", enabled=False)
    off = verify(issued.secret).refusal
    send("PATCH", f"/{issued.key.public_id}", enabled=True)

    assert off is Refusal.DISABLED
    assert verify(issued.secret).refusal is None


@that_can("rotate")
def test_rotate(send: Send, dialect: Dialect, make_key: MakeKey) -> None:
    issued = make_key(name="Target")

    answer = send("POST", f"/{issued.key.public_id}/rotate", grace_period=3600)

    seen = _seen(dialect, answer.body)
    assert answer.status == 200
    assert seen["id"] == issued.key.public_id
    assert seen["key"] != issued.secret
    assert verify(seen["key"]).refusal is None
    assert verify(issued.secret).refusal is None
    again = send("POST", f"/{issued.key.public_id}/rotate", grace_period=3600)
    assert (again.status, again.refusal.code) == (409, "rotation_in_progress")


def test_revoke(send: Send, dialect: Dialect, call: ApiClient, make_key: MakeKey) -> None:
    issued = make_key(name="Target")

    first = send("DELETE", f"/{issued.key.pk}")
    events = AuditEvent.objects.filter(event="api_key.revoked").count()
    again = send("DELETE", f"/{issued.key.pk}")

    assert (first.status, again.status) == (200, 200)
    assert call("GET", CURRENT, key=issued).status == 401
    assert ApiKey.objects.get(name="Target").status is Status.REVOKED
    assert AuditEvent.objects.filter(event="api_key.revoked").count() == events == 1


@that_can("update")
def test_a_key_for_a_service_account(send: Send, dialect: Dialect, acme: Organization) -> None:
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme)

    answer = send("POST", name="Robot", scopes=["search:read"], service_account=account.public_id)

    assert _seen(dialect, answer.body)["service_account"] == account.public_id
    assert ApiKey.objects.get(name="Robot").service_account == account


# --- What is refused, and how ---


BAD: dict[str, list[Any]] = {
    "name": ["", 5, None, "x" * 101, "a\u202eb"],
    "description": [5, "x" * 501],
    "expires_at": ["tomorrow", "2020-01-01T00:00:00Z"],
    "service_account": ["sa_0000000000000000000000", 5],
}


@pytest.mark.parametrize(
    ("dialect", "field", "value"),
    [
        (d, field, value)
        for d in DIALECTS
        for field in BAD
        for value in BAD[field]
        if field in d.sends
    ],
)
def test_bad_fields_are_named_as_the_format_names_them(
    send: Send, dialect: Dialect, manager: Issued, field: str, value: Any
) -> None:
    send("GET")
    before = stored()

    answer = send("POST", **{"name": "New", "scopes": ["search:read"], field: value})

    assert answer.status == 400
    assert stored() == before
    assert dialect.sends[field] in _named(answer)
    assert send("GET").status == 200


def _named(answer: Answer) -> list[str]:
    """The fields that a refusal names, in its list or at the start of its sentence."""
    return [*answer.refusal.fields, answer.refusal.message.partition(":")[0]]


def test_a_missing_name(send: Send, dialect: Dialect) -> None:
    answer = send("POST", scopes=["search:read"])

    assert answer.status == 400
    assert "name" in _named(answer)


def test_fields_of_other_formats_are_refused_by_name(
    call: ApiClient, dialect: Dialect, acme: Organization, manager: Issued
) -> None:
    theirs = {"canonical": "expiresAt", "envelope": "expires_at", "workspace": "scopes"}
    body = {**dialect.body(name="New", scopes=["search:read"]), theirs[dialect.name]: None}

    answer = call("POST", dialect.keys(acme), body, key=manager)

    assert answer.status == 400
    assert theirs[dialect.name] in (
        *answer.refusal.fields,
        answer.refusal.message.partition(":")[0],
    )


def test_a_taken_name_is_409(send: Send, dialect: Dialect) -> None:
    body = {"name": "Manager", "scopes": ["search:read"]}

    answer = send("POST", **body)

    assert answer.status == 409
    assert answer.refusal.code in ("name_taken", None)
    assert ApiKey.objects.count() == 1


def test_without_a_key(call: ApiClient, dialect: Dialect, acme: Organization) -> None:
    answer = call("GET", dialect.keys(acme))

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.refusal.code in ("invalid_api_key", None)


def test_a_lesser_key(
    call: ApiClient, dialect: Dialect, acme: Organization, reader: Issued
) -> None:
    answers = [
        call(
            method, dialect.keys(acme), dialect.body(name="New", scopes=["search:read"]), key=reader
        )
        for method in ("GET", "POST")
    ]

    assert [answer.status for answer in answers] == [403, 403]
    assert {answer.refusal.code for answer in answers} <= {"insufficient_scope", None}


def test_a_key_hands_out_no_more_than_it_holds(
    call: ApiClient, dialect: Dialect, acme: Organization, limited: Issued
) -> None:
    body = dialect.body(name="New", scopes=["search:read"])

    call("POST", dialect.keys(acme), body, key=limited)

    assert ApiKey.objects.get(name="New").scopes == ["search:read"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b'{"name": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ],
)
def test_bodies_that_cannot_be_read(
    call: ApiClient,
    dialect: Dialect,
    acme: Organization,
    manager: Issued,
    body: bytes,
    content_type: str,
    status: int,
) -> None:
    answer = call("POST", dialect.keys(acme), body, key=manager, content_type=content_type)

    assert answer.status == status
    assert answer.refusal.message
    assert REQUEST_ID.fullmatch(answer.headers["X-Request-Id"])
