"""Usage equals the responses sent, with workers that start and stop, and what a kill loses."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db.models import Sum

from apikeys.models import KeyUsage
from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import Organization
from tests.factories import SYSTEM
from tests.reliability.faults.load import LOST, Load, send
from tests.reliability.live.conftest import Server, running

CURRENT = "/v1/api-keys/current"


@pytest.fixture
def key(acme: Organization, make_key: Callable[..., Issued]) -> Issued:
    """A key in a tier that no load uses up."""
    organization_services.set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
    return make_key()


def counted() -> int:
    """All requests that have been written."""
    return KeyUsage.objects.aggregate(sum=Sum("requests"))["sum"] or 0


def test_every_answer_is_counted_while_workers_are_replaced(server: Server, key: Issued) -> None:
    """SIGHUP lets granian put a new worker into the place of each, one by one; SIGTERM ends all.

    A connection that waits at a worker which goes may be cut off before it is served: it has no
    answer and is not counted.
    """
    with Load(server.address, [key.secret], [CURRENT]) as load:
        load.wait_for(50, 200)
        first = set(server.workers)
        server.process.send_signal(signal.SIGHUP)
        _until(lambda: len(server.workers) == len(first) and not first & set(server.workers))
        load.wait_for(50, 200)
    server.stop()

    statuses = [call.status for call in load.calls]
    assert set(statuses) <= {200, LOST}
    assert counted() == statuses.count(200)


def test_a_kill_loses_what_was_counted_since_the_last_batch_and_no_more(
    committed: None, key: Issued, tmp_path: Path, report: Callable[[str], None]
) -> None:
    with running(tmp_path / "server.log", USAGE_INTERVAL="1") as server:
        for _ in range(200):
            assert send(server.address, CURRENT, key.secret).status == 200
        _until(lambda: counted() == 200)
        for _ in range(50):
            assert send(server.address, CURRENT, key.secret).status == 200
        server.kill()

    report(f"usage: killed right after 50 requests; lost {250 - counted()} of 250")
    assert 200 <= counted() <= 250


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
