"""While PostgreSQL is stopped or frozen, requests that need it soon get a 503. Others work."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection

from config.env import ROOT
from tests.reliability.faults.load import Load, send
from tests.reliability.faults.machines import Database, programs
from tests.reliability.live.conftest import Server, rounds, running
from tests.support.domain import SECRET

CALLS = rounds("OUTAGE_CALLS", 60)
CURRENT = "/v1/api-keys/current"
KEYS = 20
#: Three seconds are promised; a test that shares its machine gives more. Forever is what it is not.
GIVEN = 20

#: A connection for each call, so that any worker may get it.
_client = httpx.Client(
    timeout=GIVEN, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
)

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="for the run on PostgreSQL"),
    pytest.mark.skipif(programs() is None, reason="no programs of PostgreSQL"),
]


@dataclass(frozen=True, slots=True)
class World:
    """A server on a database of its own, an account in it, and keys of the account."""

    server: Server
    database: Database
    account: str
    secrets: list[str]
    log: Path

    def ask(self, path: str, *, method: str = "GET", **options: Any) -> httpx.Response:
        """One call, for which nobody has to wait forever."""
        url = self.server.address + path
        return _client.request(method, url, **options)

    def call(self, path: str, number: int = 0, **options: Any) -> httpx.Response:
        """A call with one of the keys."""
        headers = {"Authorization": f"Bearer {self.secrets[number]}"}
        return self.ask(path, headers=headers, **options)

    def add_keys(self, count: int) -> None:
        """More keys, which may manage keys too."""
        for number in range(count):
            body = {"name": f"Key {number}", "scopes": ["search:read", "api-keys:manage"]}
            added = self.call("/v1/api-keys", method="POST", json=body)
            self.secrets.append(added.json()["key"])

    def door(self, number: int) -> int:
        """The status of a call that checks the key and then needs no database: 404 if let in."""
        return self.call(f"/api/v1/workspaces/{uuid4()}/api-keys", number).status_code

    def is_let_in(self, number: int) -> bool:
        """Whether a key opens that door."""
        return self.door(number) == 404

    def serves_again(self) -> float:
        """Waits until every worker has found the database again; for how long they had not."""
        began = last = time.monotonic()
        good = 0
        while good < 40:
            assert last - began < 60
            good = good + 1 if self.call("/v1/api-keys").status_code == 200 else 0
            last = last if good else time.monotonic()
        return last - began


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("database"))
    database.start()
    yield database
    database.remove()


@pytest.fixture(scope="module")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made by the commands and over REST, since the tests' own database is another."""
    account, manager = made(database)
    log = tmp_path_factory.mktemp("server") / "server.log"
    settings = {"DATABASE_URL": database.url, "DATABASE_TIMEOUT": "2", "API_KEY_LEASE": "10"}
    with running(log, None, **settings) as server:
        world = World(server, database, account, [manager], log)
        world.add_keys(KEYS)
        yield world


def made(database: Database) -> tuple[str, str]:
    """The schema, an account and its manager key."""
    _manage(database, "migrate")
    new = ["create_organization", "Acme", "--admin-email", "ada@acme.example", "--json"]
    account = json.loads(_manage(database, *new))
    new = ["create_api_key", "--organization", account["slug"], "--name", "Manager", "--json"]
    return account["id"], json.loads(_manage(database, *new))["key"]


def _manage(database: Database, *arguments: str) -> str:
    # Not to the console: emails would stand after the output.
    environment = {**os.environ, "DATABASE_URL": database.url, "EMAIL_URL": "memorymail://"}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


OUTAGES = [
    pytest.param(Database.stop, Database.start, id="stopped"),
    pytest.param(Database.freeze, Database.thaw, id="frozen"),
]
Act = Callable[[Database], None]


@pytest.mark.parametrize(("fail", "mend"), OUTAGES)
def test_what_needs_the_database_says_503_and_the_rest_goes_on(
    world: World, fail: Act, mend: Act, report: Callable[[str], None]
) -> None:
    world.serves_again()
    fail(world.database)
    try:
        _needs_it_not(world)
        slowest = max(_needs_it(world))
    finally:
        mend(world.database)
    back = world.serves_again()

    report(f"database, {fail.__name__}: 503 after {slowest:.2f} s at most, back in {back:.1f} s")


def _needs_it(world: World) -> Iterator[float]:
    """How long each answer took, of keys that no worker trusts at the moment, and of pages."""
    session = {"Cookie": "sessionid=" + "a" * 32}
    answers = [
        world.call(CURRENT, 1),
        world.call("/envelope/v1/api-keys", 1),
        world.call(f"/api/v1/workspaces/{world.account}/api-keys", 1),
        world.call(f"/v1/accounts/{world.account}/templates", 1),
        world.call("/v1/api-keys", method="POST", json={"name": "New", "scopes": ["search:read"]}),
        world.ask("/", headers=session),
        world.ask("/accounts/login/", headers=session),
        world.ask("/readyz"),
    ]
    for answer in answers:
        assert answer.status_code == 503, answer.url
        assert int(answer.headers["Retry-After"]) > 0
        yield answer.elapsed.total_seconds()
    canonical, envelope, workspace, *_ = (answer.json() for answer in answers[:4])
    assert canonical["error"]["code"] == "unavailable"
    assert (envelope["code"], envelope["data"]) == (503, None)
    assert set(workspace) == {"error"}
    assert "Retry" in answers[5].text or "again" in answers[5].text


def _needs_it_not(world: World) -> None:
    assert world.ask("/livez").status_code == 200
    assert world.ask("/static/css/base.css").status_code == 200
    assert world.ask("/v1/nothing").status_code == 404
    assert world.ask(CURRENT).status_code == 401
    malformed = {"Authorization": f"Bearer {SECRET[:-1]}"}
    assert world.ask(CURRENT, headers=malformed).status_code == 401
    # A key that a worker trusts is let in, and told that this account is not its own.
    assert 404 in {world.door(0) for _ in "12345678"}


@pytest.mark.parametrize(("fail", "mend"), OUTAGES)
def test_nobody_queues_behind_those_who_wait(
    world: World, fail: Act, mend: Act, report: Callable[[str], None]
) -> None:
    """More clients than threads, all with keys that have to be looked up."""
    world.serves_again()
    unknown = world.secrets[2:]
    with Load(world.server.address, unknown, [CURRENT], clients=16) as load:
        fail(world.database)
        try:
            load.wait_for(CALLS, 503)
            begun = len(load.calls)
            alive = [send(world.server.address, "/livez", "") for _ in range(20)]
            load.wait_for(CALLS, 503)
        finally:
            mend(world.database)
    world.serves_again()

    late = [call.seconds for call in load.calls if call.status == 503]
    waited = max(call.seconds for call in alive)
    report(
        f"database, {fail.__name__}, 16 clients: {len(late)} × 503 after {max(late):.2f} s at most,"
        f" /livez after {waited:.2f} s at most"
    )
    assert begun
    assert {call.status for call in alive} == {200}
    assert max(late) < GIVEN


def test_a_restarted_database_needs_no_restarted_server(world: World) -> None:
    """The first call on each connection that was cut off may fail, and no other."""
    world.serves_again()

    world.database.stop()
    world.database.start()
    statuses = [world.call("/v1/api-keys").status_code for _ in range(60)]

    assert set(statuses) <= {200, 503}
    assert statuses.count(503) <= 4 * 2
    assert statuses[-20:] == [200] * 20
