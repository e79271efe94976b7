"""On a read-only database, as after a failover, writes get a 503 and reads work."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import Client

from apikeys.services import Issued
from config.env import ROOT
from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import developer, sign_in
from tests.reliability.faults.machines import Database, programs
from tests.reliability.faults.test_database import World, made
from tests.reliability.live.conftest import running
from tests.support.client import ApiClient
from tests.support.dialects import DIALECTS, Dialect
from tests.support.domain import nothing_written
from tests.support.processes import GOOD_SECRETS, environment, manage

ASK = """
from django.test import Client
from apikeys import tokens
secret = tokens.generate("sig", tokens.Environment.LIVE)
headers = {"Authorization": f"Bearer {secret}"}
for path in ("/livez", "/readyz", "/v1/api-keys/current"):
    answer = Client(headers=headers).get(path)
    print(answer.status_code, answer.headers.get("Retry-After"), answer.content.decode())
"""
NEW = {"name": "New", "scopes": ["search:read"]}
#: Connections of the server at most: four workers, two threads and two of their own each.
CONNECTIONS = 4 * 4


@contextmanager
def read_only() -> Iterator[None]:
    """This connection takes no writes, as one to a standby."""
    switch = (
        "PRAGMA query_only = {}"
        if connection.vendor == "sqlite"
        else "SET default_transaction_read_only = {}"
    )
    with connection.cursor() as cursor:
        cursor.execute(switch.format("on"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(switch.format("off"))


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_every_format_says_503_to_writes_and_reads_on(
    committed: None, call: ApiClient, manager: Issued, acme: Organization, dialect: Dialect
) -> None:
    call.writes_usage = False
    path = dialect.keys(acme)
    with read_only(), nothing_written():
        refused = call("POST", path, dialect.body(**NEW), key=manager)
        listed = call("GET", path, key=manager)
    created = call("POST", path, dialect.body(**NEW), key=manager)

    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.refusal.message
    assert listed.status == 200
    assert created.status == dialect.created


def test_pages_and_the_administration_say_503_to_writes_and_read_on(
    committed: None, acme: Organization, admin: User, staff: User
) -> None:
    browser = sign_in(admin, Client(raise_request_exception=False))
    new, office, stranger = (Client(raise_request_exception=False) for _ in range(3))
    sign_in(admin, new)
    sign_in(staff, office)
    page = developer(acme, "service-accounts/")
    robot = {"name": "Robot", "description": ""}
    person = {"email": "new@acme.example", "name": "New", "is_active": "on"}
    assert browser.get(page).status_code == 200
    with read_only(), nothing_written():
        refused = [
            browser.post(f"{page}create/", robot),
            office.post("/admin/organizations/user/add/", person),
            stranger.post("/accounts/login/", {"login": admin.email, "password": PASSWORD}),
            new.get(page),  # which notes in the session where its person was last
        ]
        shown = [browser.get(page), office.get("/admin/organizations/organization/")]
    made_later = browser.post(f"{page}create/", robot)

    for answer in refused:
        assert answer.status_code == 503, answer.request["PATH_INFO"]
        assert int(answer.headers["Retry-After"]) > 0
        assert "again" in answer.content.decode()
    assert [answer.status_code for answer in shown] == [200, 200]
    assert made_later.status_code == 303


def test_it_is_not_ready_until_writes_are_taken(committed: None, call: ApiClient) -> None:
    with read_only():
        refused = call("GET", "/readyz")
    ready = call("GET", "/readyz")

    assert (refused.status, refused.body["checks"]["database"]) == (503, "read_only")
    assert int(refused.headers["Retry-After"]) > 0
    assert ready.status == 200


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a file that can only be read")
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs setpriv")
def test_a_file_that_can_only_be_read_is_503_and_not_ready(tmp_path: Path) -> None:
    """As on a volume that is mounted for reading."""
    folder = Path(tempfile.mkdtemp(prefix="latchkey-"))
    settings = {**GOOD_SECRETS, "VAR_DIR": str(folder), "ALLOWED_HOSTS": "testserver"}
    try:
        assert manage("migrate", **settings).returncode == 0
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        # Even root obeys the modes of its own files then.
        plainly = ["setpriv", "--bounding-set=-all"]
        run = subprocess.run(
            [*plainly, sys.executable, "manage.py", "shell", "--verbosity=0", "-c", ASK],
            cwd=ROOT,
            env=environment(**settings),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(folder)

    assert run.returncode == 0, run.stderr
    (live, ready, api) = [line.split(" ", 2) for line in run.stdout.splitlines()]
    assert (live[0], ready[0], api[0]) == ("200", "503", "503")
    assert json.loads(ready[2])["checks"]["database"] == "read_only"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server on a database of the test's own, which the test may stop."""
    database = Database(tmp_path)
    try:
        database.start()
        account, manager = made(database)
        settings = {"DATABASE_URL": database.url, "DATABASE_TIMEOUT": "10"}
        with running(tmp_path / "server.log", None, **settings) as server:
            yield World(server, database, account, [manager], tmp_path / "server.log")
    finally:
        database.remove()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="for the run on PostgreSQL")
@pytest.mark.skipif(programs() is None, reason="no programs of PostgreSQL")
def test_connections_are_given_up_until_one_leads_to_a_server_that_writes(world: World) -> None:
    """Connections keep what they were opened with, as those to a former primary do."""
    world.serves_again()
    with psycopg.connect(world.database.url, autocommit=True) as operator:
        operator.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        world.database.stop()
        world.database.start()
    world.serves_again()

    refused = [_create(world, f"Refused {number}") for number in range(16)]
    unready = world.ask("/readyz")
    with psycopg.connect(world.database.url, autocommit=True) as operator:
        operator.execute("SET default_transaction_read_only = off")
        operator.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
    time.sleep(1)  # in which each worker's own thread tries to write
    again = [_create(world, f"New {number}") for number in range(60)]

    assert set(refused) == {503}
    assert (unready.status_code, unready.json()["checks"]["database"]) == (503, "read_only")
    assert set(again) <= {201, 503}
    assert again.count(503) <= CONNECTIONS
    assert again[-20:] == [201] * 20
    assert world.ask("/readyz").status_code == 200


def _create(world: World, name: str) -> int:
    return world.call("/v1/api-keys", method="POST", json={**NEW, "name": name}).status_code
