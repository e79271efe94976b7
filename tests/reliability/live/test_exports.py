"""An export occupies its bulkhead until its client has received it or disconnected."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.test import Client

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.pages.support import developer, sign_in
from tests.reliability.faults.trail import fill_trail
from tests.reliability.live.conftest import Server, running
from tests.support.api import CURRENT

#: Enough that the buffers of the sockets do not take it all.
EVENTS = 60_000


@pytest.fixture
def server(committed: None, tmp_path: Path) -> Iterator[Server]:
    """One process, so that each request meets the same bulkheads."""
    with running(tmp_path / "server.log", (1, 4)) as server:
        yield server


@contextmanager
def export(server: Server, acme: Organization, session: str) -> Iterator[httpx.Response]:
    """The export, of which nothing has been read yet."""
    url = server.address + developer(acme, "activity/export/")
    cookies = {"sessionid": session}
    with (
        httpx.Client(trust_env=False, timeout=60, cookies=cookies) as browser,
        browser.stream("GET", url) as answer,
    ):
        yield answer


@pytest.mark.parametrize("whose", ["its own", "another's"])
def test_an_unread_export_stops_no_revocation(
    server: Server,
    acme: Organization,
    admin: User,
    globex: Organization,
    outsider: User,
    manager: Issued,
    make_key: Callable[..., Issued],
    whose: str,
) -> None:
    exporting, exporter = (acme, admin) if whose == "its own" else (globex, outsider)
    fill_trail(exporting, EVENTS)
    session = sign_in(exporter, Client()).cookies["sessionid"].value
    keys = [make_key(name=f"Key {number}") for number in range(12)]

    with export(server, exporting, session) as unread:
        assert unread.status_code == 200
        answers = [
            server.call("DELETE", f"/v1/api-keys/{issued.key.public_id}", key=manager)
            for issued in keys
        ]
        refused = [server.call("GET", CURRENT, key=issued) for issued in keys]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.status_code for answer in refused} == {401}


def test_a_client_that_hangs_up_gives_its_place_back(
    server: Server, acme: Organization, admin: User
) -> None:
    fill_trail(acme, EVENTS)
    session = sign_in(admin, Client()).cookies["sessionid"].value

    with export(server, acme, session) as first:
        assert first.status_code == 200
        with export(server, acme, session) as second:
            assert second.status_code == 429
            assert int(second.headers["Retry-After"]) >= 1

    deadline = time.monotonic() + 30
    statuses = []
    while 200 not in statuses and time.monotonic() < deadline:
        with export(server, acme, session) as third:
            statuses.append(third.status_code)
            lines = sum(1 for _ in third.iter_lines()) if third.status_code == 200 else 0
        time.sleep(0.1)
    assert statuses[-1] == 200
    assert lines > EVENTS
