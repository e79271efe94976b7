"""Permissions of keys and users are decided once the request's body has arrived."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import connection

from apikeys import services
from apikeys.events import KeyEvent
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import AuditEvent, Follower, Organization, ServiceAccount
from tests.conftest import ALL_SCOPES
from tests.factories import (
    SYSTEM,
    IssuedKeyFactory,
    OrganizationFactory,
    ServiceAccountFactory,
    TemplateFactory,
)
from tests.reliability.faults.held import HeldRequest, haproxy, held_lock, is_waiting
from tests.reliability.faults.wires import Answer, Request, Wire, call
from tests.reliability.live.conftest import Server, running
from tests.security.matrix import world as worlds
from tests.security.matrix.table import MATRIX
from tests.support.following import eventually

_API: Final = ("v1/", "envelope/", "api/")
#: Every endpoint of the API that writes.
WRITING: Final = [
    (route, method)
    for route, method in MATRIX
    if route.startswith(_API) and method != "GET" and not route.endswith((".json", ".yaml"))
]
_CREATE: Final = {"name": "Made late", "scopes": ["search:read"]}
#: What is sent; the workspace and envelope formats take no scopes.
_BODIES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("v1/api-keys", "POST"): _CREATE,
    ("v1/accounts/<str:account_id>/templates", "POST"): _CREATE,
    ("envelope/v1/api-keys", "POST"): {"name": "Made late"},
    ("api/v1/workspaces/<str:workspace_id>/api-keys", "POST"): {"name": "Made late"},
}
_PATCH: Final = {"name": "Renamed late"}


@dataclass(frozen=True, slots=True)
class Cast:
    """An organization with a key that acts, and what it acts on."""

    acme: Organization
    robot: ServiceAccount
    manager: Issued
    ids: dict[str, Any]

    @classmethod
    def make(cls) -> "Cast":
        acme = OrganizationFactory.create()
        robot = ServiceAccountFactory.create(organization=acme)
        fields = {"organization": acme, "service_account": robot, "scopes": ALL_SCOPES}
        subject = IssuedKeyFactory.create(**fields).key
        ids = {
            "id": subject.public_id,
            "workspace_id": acme.pk,
            "account_id": acme.public_id,
            "template": TemplateFactory.create(organization=acme).public_id,
        }
        return cls(acme, robot, IssuedKeyFactory.create(**fields), ids)

    def request(self, route: str, method: str) -> Request:
        """A good request to an endpoint, with a body also where none is needed."""
        ids = {**self.ids, **({"id": self.ids["template"]} if "templates" in route else {})}
        path = route
        for name, value in ids.items():
            path = path.replace(f"<str:{name}>", str(value))
        body = _BODIES.get((route, method), _PATCH if method == "PATCH" else {})
        if route.endswith("/revoke"):
            body = {"ids": [self.ids["id"]]}
        return call(self.manager.secret, method, f"/{path}", body)


def _revoke(cast: Cast) -> None:
    services.revoke_api_key(cast.manager.key, actor=SYSTEM)


def _disable(cast: Cast) -> None:
    services.set_api_key_enabled(cast.manager.key, enabled=False, actor=SYSTEM)


def _narrow(cast: Cast) -> None:
    changes = {"scopes": ["search:read"]}
    services.update_api_key(cast.manager.key, actor=SYSTEM, changes=changes)


def _end_secret(cast: Cast) -> None:
    services.rotate_api_key(cast.manager.key, actor=SYSTEM, grace_period=timedelta(0))


def _close_access(cast: Cast) -> None:
    organization_services.set_api_access(cast.acme, enabled=False, actor=SYSTEM)


def _disable_robot(cast: Cast) -> None:
    organization_services.set_service_account_enabled(cast.robot, enabled=False, actor=SYSTEM)


#: What another actor does meanwhile, and the status of every request of the key after it.
WITHDRAWALS: Final[dict[str, tuple[Callable[[Cast], None], int]]] = {
    "revoked": (_revoke, 401),
    "disabled": (_disable, 401),
    "narrowed": (_narrow, 403),
    "its secret ended by a rotation": (_end_secret, 401),
    "API access off": (_close_access, 403),
    "its service account off": (_disable_robot, 401),
}
#: The use of an ended secret leaves an event, whenever it comes.
_TRACES: Final = {"organizations.AuditEvent", "apikeys.ApiKeySecret"}


def _written_since(before: dict[str, list[str]], events: list[Any]) -> list[str]:
    """The tables that have changed but for what any refused request may leave."""
    new = set(AuditEvent.objects.exclude(pk__in=events).values_list("event", flat=True))
    retired = new == {KeyEvent.RETIRED_SECRET_USED}
    allowed = {Follower._meta.label, *(_TRACES if retired else ())}
    return [table for table in worlds.changed_since(before) if table not in allowed]


def _late(address: str, cast: Cast, operation: tuple[str, str], name: str) -> dict[str, Any]:
    """What is wrong with the answer to a body that ends after the withdrawal, and its traces."""
    act, status = WITHDRAWALS[name]
    request = cast.request(*operation)
    with HeldRequest(address, request) as held:
        act(cast)
        before = worlds.fingerprint()
        events = list(AuditEvent.objects.values_list("pk", flat=True))
        answer = held.finish()
    written = _written_since(before, events)
    with HeldRequest(address, request) as again:
        fresh = again.finish()
    wrong = {"status": answer.status, "fresh": fresh.status, "written": written}
    return {} if wrong == {"status": status, "fresh": status, "written": []} else wrong


def test_every_writing_endpoint_is_tried() -> None:
    by_format = {route.partition("/")[0] for route, _ in WRITING}

    assert by_format == {"v1", "envelope", "api"}
    assert len(WRITING) >= 13
    assert set(_BODIES) == {(route, method) for route, method in WRITING if _creates(route, method)}


def _creates(route: str, method: str) -> bool:
    return method == "POST" and not route.endswith(("/rotate", "/revoke"))


def test_a_held_body_is_accepted_if_nothing_is_withdrawn(server: Server) -> None:
    """The other tests send good requests."""
    answers = dict[tuple[str, str], Answer]()
    for operation in WRITING:
        with HeldRequest(server.address, Cast.make().request(*operation)) as held:
            answers[operation] = held.finish()

    assert {answer.status for answer in answers.values()} <= {200, 201, 204}, answers


@pytest.mark.parametrize("name", WITHDRAWALS)
def test_a_body_that_ends_after_the_withdrawal_does_nothing(server: Server, name: str) -> None:
    wrong = {
        operation: _late(server.address, Cast.make(), operation, name) for operation in WRITING
    }

    assert {operation: found for operation, found in wrong.items() if found} == {}


@pytest.mark.skipif(not shutil.which("haproxy"), reason="HAProxy is not installed")
def test_nor_does_it_through_haproxy(server: Server, tmp_path: Path) -> None:
    wrong = {}
    with haproxy(tmp_path, server.address) as address:
        for operation in WRITING:
            for name in ("revoked", "narrowed"):
                wrong[operation, name] = _late(address, Cast.make(), operation, name)

    assert {operation: found for operation, found in wrong.items() if found} == {}


#: A server that is slow may begin with a request only after the withdrawal.
_TRIES: Final = 5


def _status_of_late(server: Server, operation: tuple[str, str]) -> int | None:
    for _ in range(_TRIES):
        wrong = _late(server.address, Cast.make(), operation, "revoked")
        if wrong:
            status: int = wrong["status"]
            return status
    return None


def test_a_server_that_trusts_the_past_is_found_out(committed: None, tmp_path: Path) -> None:
    """It verifies before the body is here, and reads nothing again."""
    shape = (1, 4) if connection.vendor == "sqlite" else (2, 2)
    accepted = {}
    with running(
        tmp_path / "server.log", shape, "tests.reliability.faults.trusting:application"
    ) as server:
        for operation in WRITING:
            accepted[operation] = _status_of_late(server, operation)

    bodies_matter = [operation for operation in WRITING if operation[1] in ("POST", "PATCH")]
    assert all(accepted[operation] in (200, 201) for operation in bodies_matter), accepted


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite shows no waiting locks")
@pytest.mark.parametrize("name", WITHDRAWALS)
def test_a_request_that_waits_in_its_transaction_is_judged_when_it_goes_on(
    server: Server, name: str
) -> None:
    act, status = WITHDRAWALS[name]
    statuses = dict[tuple[str, str], int]()
    for operation in WRITING:
        cast = Cast.make()
        keys = ApiKey.objects.count()

        def ask(operation: tuple[str, str] = operation, cast: Cast = cast) -> None:
            with Wire(server) as wire:
                statuses[operation] = wire.send(cast.request(*operation)).status

        asking = threading.Thread(target=ask)
        with held_lock(cast.acme):
            asking.start()
            eventually(is_waiting)
            act(cast)
        asking.join()
        assert ApiKey.objects.count() == keys

    assert set(statuses) == set(WRITING)
    assert set(statuses.values()) == {status}, statuses
