"""On a full disk, writes get a 503 and leave nothing, reads work, and freeing space is enough."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.pages.support import developer, sign_in
from tests.reliability.live.conftest import Server
from tests.support.client import Answer, ApiClient
from tests.support.dialects import DIALECTS, Dialect
from tests.support.domain import nothing_written

CURRENT = "/v1/api-keys/current"
_TRIGGER = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_is_full BEFORE INSERT OR UPDATE ON organizations_auditevent
FOR EACH ROW EXECUTE FUNCTION disk_is_full();
"""


@contextmanager
def full_disk() -> Iterator[None]:
    """SQLite may take no further page; PostgreSQL says of the trail what it says of a full disk."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # Large tests before this one leave free pages behind, room for thousands of rows.
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]:d}")
        else:
            cursor.execute(_TRIGGER)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA max_page_count = 1073741823")
            else:
                cursor.execute("DROP FUNCTION disk_is_full CASCADE")


def large(number: int) -> dict[str, str]:
    """Metadata that fits into no page that is there already."""
    return {f"key {number} {n}": "x" * 500 for n in range(50)}


def test_writes_say_503_and_leave_nothing_while_reads_go_on(
    committed: None, call: ApiClient, manager: Issued, reader: Issued
) -> None:
    call.writes_usage = False
    body = {"name": "New", "scopes": ["search:read"], "metadata": large(1)}
    path = f"/v1/api-keys/{reader.key.public_id}"

    def rotate() -> Answer:
        return call("POST", f"{path}/rotate", {"force": True, "grace_period": 0}, key=manager)

    with full_disk():
        # SQLite has room for little things in the pages that it has; until they are full.
        assert 503 in (rotate().status for _ in range(200))
        with nothing_written():
            writes = [
                rotate(),
                call("POST", "/v1/api-keys", body, key=manager),
                call("PATCH", path, {"metadata": large(2)}, key=manager),
            ]
        reads = [call("GET", where, key=manager) for where in ("/v1/api-keys", path, CURRENT)]
    again = call("POST", "/v1/api-keys", body, key=manager)

    for answer in writes:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.error["code"] == "unavailable"
    assert [answer.status for answer in reads] == [200, 200, 200]
    assert again.status == 201
    assert reader.key.secrets.current().count() == 1
    _is_whole()


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_every_format_says_so_in_its_shape(
    committed: None, call: ApiClient, manager: Issued, acme: Organization, dialect: Dialect
) -> None:
    call.writes_usage = False
    path = dialect.keys(acme)

    def create(number: int) -> Answer:
        body = dialect.body(name=f"Key {number}", scopes=["search:read"])
        return call("POST", path, body, key=manager)

    with full_disk():
        # There is room for a few in the pages that SQLite has.
        answers = (create(number) for number in range(400))
        refused = next(answer for answer in answers if answer.status != dialect.created)

    assert refused.status == 503
    assert refused.refusal.message
    _is_whole()


def test_a_page_says_so_in_its_frame(committed: None, acme: Organization, admin: User) -> None:
    browser = sign_in(admin, Client(raise_request_exception=False))

    def make(number: int) -> int:
        form = {"name": f"Robot {number}", "description": "x" * 400}
        return browser.post(developer(acme, "service-accounts/create/"), form).status_code

    with full_disk():
        assert 503 in (make(number) for number in range(400))
    assert make(400) == 303
    _is_whole()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the server writes no file but its log")
def test_a_server_whose_files_cannot_grow_reads_and_lets_in(
    server: Server, manager: Issued, reader: Issued, tmp_path: Path
) -> None:
    """Its database and its log: a line that cannot be written fails no call."""
    body = {"name": "New", "scopes": ["search:read"], "metadata": large(1)}
    assert server.statuses(reader, 8) == [200] * 8
    with no_room(server):
        refused = [server.call("POST", "/v1/api-keys", key=manager, body=body) for _ in range(4)]
        allowed = server.statuses(reader, 16)
    made = server.call("POST", "/v1/api-keys", key=manager, body=body)

    assert {answer.status_code for answer in refused} == {503}
    assert allowed == [200] * 16
    assert made.status_code == 201
    _is_whole()


@contextmanager
def no_room(server: Server) -> Iterator[None]:
    """The processes of the server can make no file longer than a byte."""
    processes = [server.process.pid, *server.workers]
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    _limit(processes, 1, most)
    try:
        yield
    finally:
        _limit(processes, most, most)


def _limit(processes: list[int], size: int, most: int) -> None:
    for pid in processes:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


def _is_whole() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            assert cursor.fetchone() == ("ok",)
