"""`Idempotency-Key`: a repeated request creates nothing twice and shows no secret twice."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey, ApiKeySecret, Submission
from apikeys.services import IdempotencyToken, Issued, idempotency
from core import transactions
from core.actors import Actor
from organizations.models import AuditEvent, Organization
from tests.conftest import ALL_SCOPES
from tests.support.api import MakeKey, stored, without_request_id
from tests.support.client import Answer, ApiClient
from tests.support.dialects import DIALECTS, WORKSPACE, Dialect
from tests.support.domain import SECRET, acting

TOKEN = "8e03978e-40d5-43dd-bc93-6894a57f9324"
Retry = Callable[..., Answer]
rotating = pytest.mark.parametrize("dialect", [d for d in DIALECTS if "rotate" in d.can], ids=str)
pytestmark = pytest.mark.django_db


@pytest.fixture
def create(call: ApiClient, dialect: Dialect, acme: Organization, manager: Issued) -> Retry:
    """Asks for a key called Production, with the token of these tests, unless told otherwise."""

    def ask(token: str = TOKEN, key: Issued | None = None, **fields: Any) -> Answer:
        body = dialect.body(**{"name": "Production", "scopes": ["search:read"], **fields})
        headers = {"Idempotency-Key": token}
        return call("POST", dialect.keys(acme), body, key=key or manager, headers=headers)

    return ask


@pytest.fixture
def rotate(call: ApiClient, dialect: Dialect, acme: Organization, manager: Issued) -> Retry:
    """Rotates the key of the asker, or another."""

    def ask(issued: Issued, token: str = TOKEN, **fields: Any) -> Answer:
        path = f"{dialect.keys(acme)}/{dialect.id_of(issued.key)}/rotate"
        headers = {"Idempotency-Key": token}
        return call("POST", path, dialect.body(**fields), key=manager, headers=headers)

    return ask


def _seen(dialect: Dialect, answer: Answer) -> dict[str, Any]:
    return dialect.key(dialect.data(answer.body))


def test_the_same_call_again_is_answered_with_the_same_key_and_no_secret(
    create: Retry, dialect: Dialect
) -> None:
    first = create()
    before = stored()

    again = create()

    assert first.status == again.status == dialect.created
    made, told = _seen(dialect, first), _seen(dialect, again)
    assert made.pop("key") not in again.raw.decode()
    assert told == made
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert stored() == before


def test_the_body_says_so_where_there_is_a_place(create: Retry, dialect: Dialect) -> None:
    first, again = create().body, create().body

    if dialect.name == "canonical":
        assert again["secret_already_delivered"] is True
        assert again["prefix"] == first["prefix"]
        assert set(first) - set(again) == {"key"}
    elif dialect.name == "envelope":
        assert again["message"] != first["message"] == "success"
        assert set(first["data"]) - set(again["data"]) == {"key"}
    else:
        assert set(first) - set(again) == {"key"}


@rotating
def test_a_rotation_again(rotate: Retry, dialect: Dialect, make_key: MakeKey) -> None:
    issued = make_key(name="Shop")
    first, again = rotate(issued, grace_period=60), rotate(issued, grace_period=60)

    secret = _seen(dialect, first)["key"]
    assert (first.status, again.status) == (200, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert secret not in again.raw.decode()
    assert _seen(dialect, again)["key_prefix"] == _seen(dialect, first)["key_prefix"]
    assert ApiKeySecret.objects.filter(key=issued.key).count() == 2
    assert AuditEvent.objects.filter(event="api_key.rotated").count() == 1


def test_another_request_with_the_same_token_is_refused(create: Retry, dialect: Dialect) -> None:
    create()
    before = stored()

    answer = create(name="Staging")

    assert answer.status == 422
    assert answer.refusal.code in ("idempotency_key_reused", None)
    assert "a different request" in answer.refusal.message
    assert stored() == before


@rotating
def test_another_operation_or_key_is_another_request(
    create: Retry, rotate: Retry, make_key: MakeKey
) -> None:
    one, other = make_key(name="One"), make_key(name="Other")

    assert rotate(one).status == 200
    assert rotate(other).status == 422
    assert rotate(one, grace_period=60).status == 422
    assert create().status == 422


def test_the_order_of_fields_makes_no_other_request(
    call: ApiClient, acme: Organization, manager: Issued
) -> None:
    headers = {"Idempotency-Key": TOKEN}
    bodies = (b'{"name":"A","scopes":["search:read"]}', b'{"scopes": ["search:read"], "name": "A"}')

    answers = [call("POST", "/v1/api-keys", body, key=manager, headers=headers) for body in bodies]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body["id"] == answers[1].body["id"]


def test_another_organization_and_the_test_environment_have_tokens_of_their_own(
    call: ApiClient, dialect: Dialect, globex: Organization, foreigner: Issued, create: Retry
) -> None:
    mine = create()
    body = dialect.body(name="Production", scopes=["search:read"])
    headers = {"Idempotency-Key": TOKEN}

    theirs = call("POST", dialect.keys(globex), body, key=foreigner, headers=headers)

    assert theirs.status == mine.status == dialect.created
    assert "Idempotency-Replayed" not in theirs.headers
    assert _seen(dialect, theirs)["id"] != _seen(dialect, mine)["id"]


def test_a_test_key_learns_nothing_of_a_live_one(create: Retry, tester: Issued) -> None:
    create(name="Live")

    answer = create(name="Live too", key=tester)

    assert answer.status < 300
    assert "Idempotency-Replayed" not in answer.headers


def test_another_key_of_the_organization_may_send_it_again(
    create: Retry, make_key: MakeKey, dialect: Dialect
) -> None:
    colleague = make_key(name="Colleague", scopes=ALL_SCOPES)

    first, again = create(), create(key=colleague)

    assert _seen(dialect, first)["id"] == _seen(dialect, again)["id"]
    assert "key" not in _seen(dialect, again)


def test_a_lesser_key_is_refused_as_ever(create: Retry, reader: Issued) -> None:
    create()

    assert create(key=reader).status == 403


def test_a_refused_call_is_forgotten(create: Retry, make_key: MakeKey, as_admin: Actor) -> None:
    taken = make_key(name="Production")
    assert create().status == 409
    services.revoke_api_key(taken.key, actor=as_admin)

    answer = create()

    assert answer.status < 300
    assert "Idempotency-Replayed" not in answer.headers


def test_it_is_remembered_for_a_day(create: Retry, dialect: Dialect) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        create()
    with time_machine.travel(start + timedelta(hours=23, minutes=59), tick=False):
        assert create().headers["Idempotency-Replayed"] == "true"
    with time_machine.travel(start + timedelta(hours=24), tick=False):
        anew = create(name="Another")
        assert anew.status == dialect.created
        assert "Idempotency-Replayed" not in anew.headers
        assert create(name="Another").headers["Idempotency-Replayed"] == "true"
    assert Submission.objects.count() == 1


def test_what_is_outlived_is_swept_out_but_no_form(
    create: Retry, acme: Organization, as_admin: Actor
) -> None:
    start = timezone.now()
    with time_machine.travel(start - timedelta(days=2), tick=False):
        services.create_api_key(
            organization=acme, actor=as_admin, name="By form", submission=IdempotencyToken("form")
        )
        create("old-1", name="Old one")
        create("old-2", name="Old two")

    create("new")

    kept = sorted(bool(row.request) for row in Submission.objects.all())
    assert kept == [False, True]


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "invalid"),
        ("two words", "invalid"),
        ("x" * 256, "invalid"),
        ("schlüssel", "invalid"),
        (SECRET, "contains_secret"),
    ],
)
def test_what_can_be_no_token_is_refused_by_name(
    create: Retry, dialect: Dialect, token: str, code: str
) -> None:
    answer = create(token)

    assert answer.status == 400
    assert answer.refusal.code in (code, None)
    assert answer.refusal.fields in (("Idempotency-Key",), ())
    assert SECRET not in answer.raw.decode()
    assert not ApiKey.objects.filter(name="Production").exists()
    assert not Submission.objects.exists()


def test_without_the_header_nothing_is_remembered(
    call: ApiClient, acme: Organization, manager: Issued
) -> None:
    call("POST", "/v1/api-keys", {"name": "A", "scopes": ["search:read"]}, key=manager)

    assert not Submission.objects.exists()


def test_the_answer_is_the_key_as_it_is_now(
    create: Retry, dialect: Dialect, as_admin: Actor
) -> None:
    create()
    services.revoke_api_key(ApiKey.objects.get(name="Production"), actor=as_admin)

    again = create()

    assert again.status == dialect.created
    seen = _seen(dialect, again)
    assert seen.get("status", "revoked") == "revoked"
    assert seen.get("revoked_at", "then") is not None


def test_nothing_of_the_token_or_the_secret_is_kept(create: Retry, dialect: Dialect) -> None:
    secret = _seen(dialect, create())["key"]

    row = Submission.objects.get()

    kept = bytes(row.digest) + bytes(row.request)
    assert len(kept) == 64
    assert TOKEN.encode() not in kept
    assert secret.encode() not in kept


@pytest.mark.parametrize("dialect", [WORKSPACE], ids=str)
def test_a_foreign_replay_is_like_any_other_answer(
    call: ApiClient, dialect: Dialect, acme: Organization, create: Retry, foreigner: Issued
) -> None:
    """Asking in Acme's address with Globex's key tells nothing of whether the token is known."""
    create("known")
    body = dialect.body(name="Production")

    known, unknown = (
        call("POST", dialect.keys(acme), body, key=foreigner, headers={"Idempotency-Key": token})
        for token in ("known", "unknown")
    )

    assert without_request_id(known) == without_request_id(unknown)
    assert known.status == 404


# --- At once ---


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's writers take turns")
def test_a_call_that_is_under_way_is_not_waited_for(
    committed: None, create: Retry, dialect: Dialect, manager: Issued, acme: Organization
) -> None:
    """Somebody holds the attempt and has not committed; afterwards the call goes through."""
    taken, leave = threading.Event(), threading.Event()
    first = create("another")  # the digest of the request is not needed to hold the token
    assert first.status == dialect.created
    holder_attempt, actor = IdempotencyToken(TOKEN, b"x" * 32), acting(manager)

    def hold() -> None:
        with transactions.operation():
            idempotency.claim(acme.pk, actor, holder_attempt)
            taken.set()
            leave.wait(20)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(10)
    refused = create(name="Second")
    leave.set()
    holder.join()
    after = create(name="Second")

    assert refused.status == 409
    assert refused.headers["Retry-After"] == "1"
    assert refused.refusal.code in ("request_in_progress", None)
    assert after.status == dialect.created
