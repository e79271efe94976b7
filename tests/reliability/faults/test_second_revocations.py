"""While a revocation still waits, no interface tells another caller that it is complete.

Lower bounds of times are exact: a response that comes too early is a bug.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pytest_django import Settings

from apikeys import services
from core.revocation_clock import store
from organizations.models import Clock, Follower
from tests.factories import SYSTEM
from tests.reliability.faults.test_revocation import played
from tests.reliability.faults.wires import Answer, Request, Wire
from tests.reliability.faults.withdrawals import REVOKED, ROWS, Command, Row, Scene
from tests.reliability.live.conftest import LEASE, WSGI, Server, running
from tests.support.following import silent

#: Of a process that acknowledges nothing.
_SILENT: Final = 0.3
#: On keys, and therefore refused for a key that is revoked already.
_ON_KEYS: Final = [
    row for row in ROWS if "organizations." not in row.face and "service-accounts" not in row.face
]
_HTTP: Final = [row for row in ROWS if not row.face.startswith("command")]


@pytest.fixture
def product(committed: None, tmp_path: Path, settings: Settings) -> Iterator[Server]:
    """A real server with the URLs of a product, and leases that last."""
    settings.API_KEY_LEASE = LEASE
    variables = {"DJANGO_SETTINGS_MODULE": "tests.reliability.faults.product_settings"}
    with running(tmp_path / "server.log", (1, 4), WSGI, **variables) as server:
        yield server


def _send(server: Server, asked: Request | Command) -> Answer:
    if isinstance(asked, Command):
        asked.run(server)
        return Answer(0, "")
    with Wire(server) as wire:
        return wire.send(asked)


def _seconds_while_silent(server: Server, asked: Request | Command) -> tuple[float, Answer]:
    """How long the answer takes while a process has acknowledged nothing so far."""
    other = silent(lease=_SILENT, number=-1)
    try:
        began = time.monotonic()
        answer = _send(server, asked)
        return time.monotonic() - began, answer
    finally:
        store.leave(other.pk)


def _hurried(server: Server, rows: list[Row], first: Callable[[Scene, Row], Any]) -> dict[str, Any]:
    """The rows whose request is answered early after `first` has withdrawn."""
    early = {}
    for row in rows:
        for variant in (0, 1):
            scene = played(Scene.of(server), variant)
            row.kind.before(scene)
            asked = row.ask(scene)  # from a page that was opened before
            first(scene, row)
            seconds, answer = _seconds_while_silent(server, asked)
            if seconds < _SILENT:
                early[f"{row.kind.name}: {row.face}"] = (seconds, answer.status)
    return early


def test_the_same_withdrawal_again_waits_on_every_face(product: Server) -> None:
    """An admin does on an old page what another has done a moment ago."""
    assert _hurried(product, ROWS, lambda scene, row: _send(product, row.ask(scene))) == {}


def test_whatever_is_refused_for_a_revoked_key_waits(product: Server) -> None:
    def revoke(scene: Scene, row: Row) -> None:
        services.revoke_api_key(scene.victim.key, actor=SYSTEM)

    assert _hurried(product, _ON_KEYS, revoke) == {}


def test_it_is_answered_when_the_number_is_acknowledged(product: Server) -> None:
    """The lease of the silent process is longer than any test lasts."""
    revocations = [row for row in _HTTP if row.kind is REVOKED]
    assert len(revocations) >= 6
    for row in revocations:
        scene = played(Scene.of(product), 0)
        asked = row.ask(scene)
        services.revoke_api_key(scene.victim.key, actor=SYSTEM)
        other, answers = silent(lease=600, number=-1), list[Answer]()
        asking = threading.Thread(target=lambda a=asked, to=answers: to.append(_send(product, a)))
        asking.start()
        time.sleep(0.3)
        early = list(answers)
        store.beat(other.pk, Clock.objects.get().number)
        asking.join(30)
        store.leave(other.pk)

        assert (early, len(answers)) == ([], 1), row.face
    assert not Follower.objects.filter(lease=600).exists()
