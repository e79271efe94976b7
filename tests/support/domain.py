"""Helpers for services: actors, an audit log that can't be written, and all rows."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, connections

from apikeys.services import Issued
from apikeys.tokens import checksum
from core.actors import Actor, ActorKind, RequestContext
from core.transactions import GuardedModel
from core.triggers import Trigger, install, remove
from organizations.models import AuditEvent, User

World = TypeVar("World")
ORIGIN: Final = RequestContext(
    request_id="req_0000000000000000000042", ip="203.0.113.7", user_agent="tests/1.0"
)
_BODY: Final = "sig_live_" + "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7"
#: Well formed, the same in each run, and of no key.
SECRET: Final = _BODY + checksum(_BODY)
GUARDED: Final = [model for model in apps.get_models() if issubclass(model, GuardedModel)]
_NO_EVENTS: Final = Trigger(
    name="no_event_can_be_written",
    table="organizations_auditevent",
    events=("INSERT",),
    condition="TRUE",
)


def person(user: User) -> Actor:
    """A signed-in person as one who acts."""
    return Actor.person(user.id, str(user), ORIGIN)


def acting(issued: Issued) -> Actor:
    """A key as one who acts, with the limits of its authority."""
    key = issued.key
    return Actor(
        kind=ActorKind.KEY,
        id=key.id,
        authority_id=key.created_by_id,
        label=key.name,
        organization_id=key.organization_id,
        scopes=frozenset(key.scopes),
        environment=key.environment,
        expires_at=key.expires_at,
        secret_id=key.current_secret.pk,
        origin=ORIGIN,
    )


def actor_called(part: str, request: pytest.FixtureRequest) -> Actor:
    """The actor behind a fixture that makes a person or a key, or staff, or the system."""
    if part == "system":
        return Actor.system("tests", ORIGIN)
    found: User | Issued = request.getfixturevalue(part)
    if isinstance(found, Issued):
        return acting(found)
    return Actor.staff(found.id, str(found), ORIGIN) if part == "staff" else person(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[World]):
    """One call of a service, so that the same tests can be put to each of them.

    `run` returns what `target_id` looks at; by default that is the object itself.
    """

    event: str
    target_type: str
    run: Callable[[World, Actor], Any]
    target_id: Callable[[World, Any], UUID] = lambda world, result: result.pk


@contextmanager
def unwritable_trail() -> Iterator[None]:
    """The database itself refuses every new audit event."""
    install(connection, [_NO_EVENTS])
    try:
        yield
    finally:
        remove(connection, [_NO_EVENTS])


def new_events(before: int) -> list[AuditEvent]:
    """The audit events since there were `before` of them."""
    return list(AuditEvent.objects.order_by("id")[before:])


def every_row() -> dict[str, list[Any]]:
    """All that the guarded tables hold, column by column."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in GUARDED
    }


@contextmanager
def nothing_written() -> Iterator[None]:
    """Whatever happens inside leaves every guarded row as it was."""
    before = every_row()
    yield
    assert every_row() == before


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What the calls return or raise, each in a thread and a connection of its own."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except Exception as refusal:  # noqa: BLE001 - the test looks at it
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
