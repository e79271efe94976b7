"""With API_KEY_STALE_SECONDS, known keys keep working for a while without the database."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.reliability.faults.machines import Database, programs
from tests.reliability.faults.test_database import World, made
from tests.reliability.live.conftest import running

LEASE = 0.5

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="for the run on PostgreSQL"),
    pytest.mark.skipif(programs() is None, reason="no programs of PostgreSQL"),
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path)
    database.start()
    yield database
    database.remove()


@pytest.fixture
def serve(database: Database, tmp_path: Path) -> Callable[[str], Iterator[World]]:
    """A server of one process, so that what one request has cached is there for the next."""

    def serve(stale: str) -> Iterator[World]:
        variables = {"DATABASE_URL": database.url, "DATABASE_TIMEOUT": "1"}
        variables |= {"API_KEY_LEASE": str(LEASE), "API_KEY_STALE_SECONDS": stale}
        account, manager = made(database)
        log = tmp_path / "server.log"
        with running(log, (1, 4), **variables) as server:
            world = World(server, database, account, [manager], log)
            world.add_keys(1)
            yield world

    return serve


def _outage(world: World, fail: Callable[[], None], mend: Callable[[], None]) -> list[int]:
    """The statuses of a key that was known before, for several leases of an outage."""
    assert world.is_let_in(0)
    time.sleep(2 * LEASE)
    fail()
    try:
        end = time.monotonic() + 6 * LEASE
        statuses = []
        while time.monotonic() < end:
            statuses.append(world.door(0))
            time.sleep(LEASE / 5)
        statuses.append(world.door(0))
        unknown = world.door(1)
    finally:
        mend()
    world.serves_again()
    return [*statuses, unknown]


OUTAGES = [
    pytest.param("stop", "start", id="stopped"),
    pytest.param("freeze", "thaw", id="frozen"),
]


@pytest.mark.parametrize(("fail", "mend"), OUTAGES)
def test_known_keys_keep_working_and_others_do_not(
    serve: Callable[[str], Iterator[World]], database: Database, fail: str, mend: str
) -> None:
    for world in serve("60"):
        *known, unknown = _outage(world, getattr(database, fail), getattr(database, mend))

    assert set(known) == {404}  # let in, and told that this account is not its own
    assert unknown == 503


@pytest.mark.parametrize(("fail", "mend"), OUTAGES)
def test_without_the_setting_trust_runs_out_within_a_lease(
    serve: Callable[[str], Iterator[World]], database: Database, fail: str, mend: str
) -> None:
    for world in serve("0"):
        *known, unknown = _outage(world, getattr(database, fail), getattr(database, mend))

    assert set(known) <= {404, 503}
    assert known[-1] == unknown == 503


def test_it_runs_out(serve: Callable[[str], Iterator[World]], database: Database) -> None:
    for world in serve("1"):
        *known, _ = _outage(world, database.stop, database.start)

    assert known[-1] == 503


def test_a_revocation_counts_again_when_the_database_is_back(
    serve: Callable[[str], Iterator[World]], database: Database
) -> None:
    for world in serve("60"):
        _outage(world, database.stop, database.start)
        assert world.is_let_in(1)
        listed = world.call("/v1/api-keys").json()["data"]
        victim = next(key["id"] for key in listed if key["name"] == "Key 0")
        gone = world.call(f"/v1/api-keys/{victim}", method="DELETE").status_code
        after = world.door(1)

    assert (gone, after) == (200, 401)
