"""While Redis or Valkey is stopped, frozen or emptied, keys work and users can sign in."""

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import redis

from apikeys.ratelimits.limiter import RETRY_SECONDS
from apikeys.services import Issued, set_key_rate_limit_tier
from organizations import services as organization_services
from organizations.models import Organization, User
from tests.factories import PASSWORD, SYSTEM
from tests.reliability.faults.load import Call, Load
from tests.reliability.faults.machines import Store
from tests.reliability.live.conftest import Server, rounds, running

#: Seconds that the server waits for the store: a second is seen on a slow machine, too; the 0.2 of
#: production are for measuring.
PATIENCE = os.environ.get("OUTAGE_PATIENCE") or "1"
CALLS = rounds("OUTAGE_CALLS", 150)
CURRENT = "/v1/api-keys/current"

pytestmark = pytest.mark.skipif(
    not (shutil.which("redis-server") or shutil.which("valkey-server")), reason="no redis-server"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    store.start()
    yield store
    store.stop()


@pytest.fixture
def server(committed: None, tmp_path: Path, store: Store) -> Iterator[Server]:
    """A server that counts limits and attempts to sign in in the store."""
    variables = {"REDIS_URL": store.url, "REDIS_TIMEOUT": PATIENCE}
    variables["DJANGO_SETTINGS_MODULE"] = "tests.reliability.faults.settings"
    with running(tmp_path / "server.log", None, **variables) as server:
        yield server


@pytest.fixture
def secrets(acme: Organization, make_key: Callable[..., Issued]) -> list[str]:
    """Keys for before an outage, and others whose limits no worker has asked for when it comes."""
    organization_services.set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
    return [make_key().secret for _ in range(120)]


OUTAGES = [
    pytest.param(Store.stop, Store.start, id="stopped"),
    pytest.param(Store.freeze, Store.thaw, id="frozen"),
]


@pytest.mark.parametrize(("fail", "mend"), OUTAGES)
def test_every_call_is_answered_while_the_store_is_away(
    server: Server,
    store: Store,
    secrets: list[str],
    make_key: Callable[..., Issued],
    fail: Callable[[Store], None],
    mend: Callable[[Store], None],
    report: Callable[[str], None],
    tmp_path: Path,
) -> None:
    with Load(server.address, secrets[:60], [CURRENT], pause=0.02) as before:
        before.wait_for(100, 200)  # every worker has started
        start = len(before.calls)
        before.wait_for(CALLS, 200)
        fail(store)
    with Load(server.address, secrets[60:], [CURRENT], pause=0.02) as load:
        load.wait_for(CALLS, 200)
        end = len(load.calls)
        mend(store)
        time.sleep(RETRY_SECONDS)
        load.wait_for(CALLS, 200)

    quiet, away = before.calls[start:], load.calls[:end]
    report(f"| {fail.__name__} | {_times(quiet)} | {_times(away)} |")
    assert {call.status for call in before.calls + load.calls} == {200}
    # Each thread may be waiting when the outage begins; then one at a time finds out.
    waits = sum(call.seconds >= 1 for call in load.calls)
    assert waits <= load.clients + len(server.workers) * 6
    lines = (tmp_path / "server.log").read_text().count("rate_limit_store_away")
    assert 1 <= lines <= len(server.workers)
    # No restart: all processes share the store again.
    late = make_key(name="Late")
    set_key_rate_limit_tier(late.key, tier="tiny", actor=SYSTEM)
    assert server.statuses(late, 120).count(200) == 50


def _times(calls: list[Call]) -> str:
    """How many, and their median, 99th percentile and maximum in milliseconds."""
    times = sorted(call.seconds * 1000 for call in calls)
    worst = times[int(len(times) * 0.99)]
    return f"{len(times):,} | {statistics.median(times):.0f} / {worst:.0f} / {times[-1]:.0f}"


def test_a_store_that_forgets_everything_refuses_nobody(
    server: Server, store: Store, reader: Issued
) -> None:
    assert set(server.statuses(reader)) == {200}

    with redis.Redis.from_url(store.url) as wire:
        wire.flushall()
        wire.script_flush()

    assert set(server.statuses(reader)) == {200}


@pytest.mark.parametrize(("fail", "mend"), OUTAGES)
def test_people_sign_in_while_the_store_is_away(
    server: Server,
    store: Store,
    admin: User,
    acme: Organization,
    fail: Callable[[Store], None],
    mend: Callable[[Store], None],
) -> None:
    assert signs_in(server, admin)
    fail(store)
    assert signs_in(server, admin)
    mend(store)
    # A store that thaws does late what it was asked before: it holds the lock of an attempt that
    # nobody waits for, for as long as such a lock lasts.
    assert any(_later(signs_in(server, admin)) for _ in range(30))


def _later(success: bool) -> bool:
    """The same, a second later if it is no."""
    if not success:
        time.sleep(1)
    return success


def signs_in(server: Server, user: User, password: str = PASSWORD) -> bool:
    """Whether the sign-in page lets somebody in."""
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as browser:
        page = browser.get("/accounts/login/")
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        form = {"csrfmiddlewaretoken": token, "login": user.email, "password": password}
        answer = browser.post("/accounts/login/", data=form)
        assert answer.status_code in (200, 302, 429)
        return answer.status_code == 302
