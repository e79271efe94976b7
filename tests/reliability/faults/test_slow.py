"""Slow queries of one tenant are canceled, on the server too, and cause no errors for others."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import httpx
import pytest
from django.db import connection, transaction
from django.test import Client

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization, User
from tests.factories import SYSTEM
from tests.pages.support import developer, sign_in
from tests.reliability.faults.events import add_events
from tests.reliability.faults.load import Call, Load, send
from tests.reliability.live.conftest import Server, database_url, rounds, running
from tests.support.dialects import DIALECTS

EVENTS = rounds("SLOW_EVENTS", 20_000)
CALLS = rounds("OUTAGE_CALLS", 60)
CURRENT = "/v1/api-keys/current"
#: Each connection makes so many searches.
SEARCHES = rounds("SLOW_SEARCHES", 4)
CONNECTIONS = 6

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's queries")


@pytest.fixture
def stranger(foreigner: Issued) -> Issued:
    """A key of another tenant that no rate limit stops within a test."""
    services.set_key_rate_limit_tier(foreigner.key, tier="maximum", actor=SYSTEM)
    return foreigner


#: Sessions of other clients that work for them at the moment, or that wait for a lock in order to.
WORKING = "state = 'active'"
WAITING = "wait_event_type = 'Lock'"


def _sessions(condition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            f" AND pid <> pg_backend_pid() AND {condition}"
        )
        return int(cursor.fetchone()[0])


def _until_none(condition: str) -> None:
    """Queries of milliseconds, such as writing usage, may be met on the way."""
    deadline = time.monotonic() + 30
    while _sessions(condition):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _percentile(calls: list[Call], share: float) -> float:
    return sorted(call.seconds for call in calls)[int(share * (len(calls) - 1))]


# --- Searches of a long trail ---

#: What a person searches for: nothing that is there, so that a search has to look at everything.
FILTERS = ("actor=nobody", "kind=invitation", "q=nothing", "actor=nobody&until=2999-01-01")


def _pages(acme: Organization) -> list[str]:
    pages = [developer(acme, f"activity/?{wanted}") for wanted in FILTERS]
    staff = "/admin/organizations/auditevent/"
    return [*pages, f"{staff}?q=nothing", f"{staff}?q={acme.pk}", f"{staff}?event=member.left"]


def _search(server: Server, session: str, paths: list[str]) -> list[int]:
    with httpx.Client(timeout=60, trust_env=False, cookies={"sessionid": session}) as browser:
        return [browser.get(server.address + path).status_code for path in paths]


def test_searches_of_a_long_trail_take_nothing_from_other_tenants(
    committed: None,
    acme: Organization,
    staff: User,
    admin: User,
    stranger: Issued,
    tmp_path: Path,
    report: Callable[[str], None],
) -> None:
    """Without leases, so that every check of the other tenant asks the database."""
    add_events(acme.pk, EVENTS)
    sessions = [sign_in(user, Client()).cookies["sessionid"].value for user in (admin, staff)]
    pages = [(sessions[path.startswith("/admin/")], path) for path in _pages(acme)]
    log = tmp_path / "server.log"
    with running(log, DATABASE_TIMEOUT="2", API_KEY_LEASE="0") as server:
        with Load(server.address, [stranger.secret], [CURRENT], clients=2) as load:
            load.wait_for(CALLS, 200)  # every worker has had its first requests
            warm = time.monotonic()
            load.wait_for(CALLS, 200)
            quiet, began = load.after(warm), time.monotonic()
            with ThreadPoolExecutor(CONNECTIONS) as pool:
                asked = [pool.submit(_search_all, server, pages) for _ in range(CONNECTIONS)]
                found = [status for one in asked for status in one.result()]
            still = _sessions(WORKING)
            meanwhile = load.after(began)
        _until_none(WORKING)

    report(
        f"searches of {EVENTS} events, {CONNECTIONS} connections: {len(found)} answers, "
        f"{sum(status >= 500 for status in found)} × 5xx; the other tenant:"
        f" {len(meanwhile)} calls, {sum(call.status != 200 for call in meanwhile)} refused, p99"
        f" {_percentile(quiet, 0.99) * 1000:.0f} ms before,"
        f" {_percentile(meanwhile, 0.99) * 1000:.0f} ms meanwhile; working right after: {still}"
    )
    assert {200} <= set(found) <= {200, 429}, "beyond the pace of one person"
    assert len(found) == CONNECTIONS * SEARCHES * len(pages)
    assert {call.status for call in meanwhile} == {200}
    assert "database_silent" not in log.read_text()


def _search_all(server: Server, pages: list[tuple[str, str]]) -> list[int]:
    return [
        status
        for _, (session, path) in product(range(SEARCHES), pages)
        for status in _search(server, session, [path])
    ]


# --- Queries that are slow whatever is done ---

#: Where the server ends the query, and where it is the client that gives up: a pooler, for which
#: the application sets no limit on the server.
WAYS = [pytest.param("", id="server"), pytest.param("?disable_server_side_cursors=True", id="pool")]


@contextmanager
def _locked(key: ApiKey) -> Iterator[None]:
    """What writes to the key waits meanwhile."""
    with transaction.atomic():
        ApiKey.objects.select_for_update().get(pk=key.pk)
        yield


@pytest.mark.parametrize("way", WAYS)
def test_a_slow_query_is_a_503_to_its_caller_and_nothing_to_others(
    committed: None,
    acme: Organization,
    admin: User,
    manager: Issued,
    stranger: Issued,
    tmp_path: Path,
    way: str,
    report: Callable[[str], None],
) -> None:
    session = sign_in(admin, Client()).cookies["sessionid"].value
    log = tmp_path / "server.log"
    settings = {"DATABASE_URL": database_url() + way, "DATABASE_TIMEOUT": "2"}
    with running(log, None, API_KEY_LEASE="0", **settings) as server:
        with Load(server.address, [stranger.secret], [CURRENT], clients=2) as load:
            load.wait_for(CALLS, 200)
            began = time.monotonic()
            with _locked(manager.key):
                answers = list(_write_slowly(server, acme, manager, session))
                _until_none(WAITING)  # though the lock is still held
            load.wait_for(CALLS, 200)
            meanwhile = load.after(began)
        lines = log.read_text()

    longest = max(call.seconds for call in meanwhile)
    report(
        f"slow query, ended by the {'client' if way else 'server'}: {len(answers)} × 503;"
        f" others: {len(meanwhile)} calls, all 200, {longest:.2f} s at most"
    )
    for answer in answers:
        assert answer.status_code == 503, answer.url
        assert int(answer.headers["Retry-After"]) > 0
    assert {call.status for call in meanwhile} == {200}
    assert "database_silent" not in lines
    assert ("statement timeout" in lines) == (not way)
    assert ApiKey.objects.get(pk=manager.key.pk).name == "Manager"


def _write_slowly(
    server: Server, acme: Organization, manager: Issued, session: str
) -> Iterator[httpx.Response]:
    """Renames the key in each format, and deletes it on its page."""
    headers = {"Authorization": f"Bearer {manager.secret}"}
    with httpx.Client(timeout=60, trust_env=False, base_url=server.address) as client:
        for dialect in DIALECTS:
            path = f"{dialect.keys(acme)}/{dialect.id_of(manager.key)}"
            if "update" in dialect.can:
                yield client.patch(path, json=dialect.body(name="Renamed"), headers=headers)
            else:
                yield client.delete(path, headers=headers)
        token = "t" * 32
        page = developer(acme, f"keys/{manager.key.public_id}/switch/")
        cookies = {"Cookie": f"sessionid={session}; csrftoken={token}"}
        yield client.post(page, data={"csrfmiddlewaretoken": token}, headers=cookies)


def test_many_slow_queries_leave_the_other_tenants_of_their_worker_alone(
    committed: None,
    manager: Issued,
    stranger: Issued,
    tmp_path: Path,
    report: Callable[[str], None],
) -> None:
    """One worker with eight threads, six of which wait for a lock at any time."""
    log = tmp_path / "server.log"
    with (
        running(log, (1, 8), DATABASE_TIMEOUT="2", API_KEY_LEASE="0") as server,
        Load(server.address, [stranger.secret], [CURRENT], clients=2) as load,
    ):
        load.wait_for(CALLS, 200)
        began = time.monotonic()
        with _locked(manager.key), ThreadPoolExecutor(CONNECTIONS) as pool:
            tries = [pool.submit(_rename, server, manager) for _ in range(2 * CONNECTIONS)]
            refused = [one.result() for one in tries]
            alive = send(server.address, "/livez", "")
        meanwhile = load.after(began)
    report(
        f"slow queries on {CONNECTIONS} of 8 threads: {len(refused)} × 503; others: "
        f"{len(meanwhile)} calls, {_percentile(meanwhile, 0.99) * 1000:.0f} ms (p99)"
    )
    assert set(refused) == {503}
    assert alive.status == 200
    assert {call.status for call in meanwhile} == {200}
    assert "database_silent" not in log.read_text()


def _rename(server: Server, manager: Issued) -> int:
    path = f"/v1/api-keys/{manager.key.public_id}"
    return server.call("PATCH", path, key=manager, body={"name": "Renamed"}).status_code
