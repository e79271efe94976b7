"""How expensive requests of one key, organization or user on many connections affect others."""

import os
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client

from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import Organization, User
from tests.factories import SYSTEM
from tests.pages.support import developer, sign_in
from tests.reliability.faults.flood import Attack, flood
from tests.reliability.faults.load import Call, Load
from tests.reliability.faults.trail import fill_trail
from tests.reliability.live.conftest import Server, rounds, running

CALLS = rounds("NEIGHBOR_CALLS", 60)
EVENTS = rounds("NEIGHBOR_EVENTS", 5_000)
CONNECTIONS = 100
#: Seconds that each connection rests after an answer: the least that Retry-After ever says.
REST = rounds("NEIGHBOR_REST", 1)
#: As in production, so that what waits for leases waits for long.
LEASE = "1"
#: By how much others may be slower, where `make neighbors` measures.
MOST = 3
CURRENT = "/v1/api-keys/current"


@dataclass(frozen=True, slots=True)
class World:
    """The server, the attacker's organization with its people and keys, and another's keys."""

    server: Server
    acme: Organization
    admin: User
    manager: Issued
    victim: Issued
    others: list[str]

    def by_key(self, method: str, rest: str = "", body: str = "") -> Attack:
        """The manager repeats a call about the victim."""
        path = f"/v1/api-keys/{self.victim.key.public_id}{rest}"
        return self.calling((method, path, body))

    def calling(self, *requests: tuple[str, str, str]) -> Attack:
        """The manager repeats calls."""
        headers = {
            "Authorization": f"Bearer {self.manager.secret}",
            "Content-Type": "application/json",
        }
        return Attack(requests, headers, CONNECTIONS, REST)

    def by_person(self, method: str, rest: str, **fields: str) -> Attack:
        """The admin repeats a request of the pages."""
        browser = sign_in(self.admin, Client())
        browser.get(developer(self.acme, "test/"))
        token = browser.cookies["csrftoken"].value
        cookies = {"sessionid": browser.cookies["sessionid"].value, "csrftoken": token}
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": token,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        path = developer(self.acme, rest)
        return Attack([(method, path, urlencode(fields))], headers, CONNECTIONS, REST)


@dataclass(frozen=True, slots=True)
class Row:
    """An attack, and the statuses with which the attacker is served while it lasts."""

    name: str
    attack: Callable[[World], Attack]
    served: frozenset[int] = frozenset({200})
    waits: bool = True


ROWS = [
    Row("checks, for comparison", lambda w: w.calling(("GET", CURRENT, "")), waits=False),
    Row("`PATCH` that disables a key", lambda w: w.by_key("PATCH", body='{"enabled": false}')),
    Row("`DELETE` of a key", lambda w: w.by_key("DELETE"), frozenset({200, 409})),
    Row(
        "forced rotation of a key",
        lambda w: w.by_key("POST", "/rotate", '{"force": true}'),
        frozenset({200, 409}),
    ),
    Row(
        "Test page without JavaScript",
        lambda w: w.by_person("POST", "test/", key=w.manager.secret),
    ),
    Row(
        "text search of the audit log",
        lambda w: w.by_person("GET", "activity/?actor=absent"),
        waits=False,
    ),
    Row(
        "export of the audit log",
        lambda w: w.by_person("GET", "activity/export/"),
        waits=False,
    ),
]


@pytest.fixture
def world(
    committed: None,
    tmp_path: Path,
    acme: Organization,
    globex: Organization,
    admin: User,
    make_key: Callable[..., Issued],
    manager: Issued,
) -> Iterator[World]:
    for organization in (acme, globex):  # the limits of keys would only get in the way
        organization_services.set_rate_limit_tier(organization, tier="maximum", actor=SYSTEM)
    others = [make_key(organization=globex).secret for _ in range(8)]
    fill_trail(acme, EVENTS)
    shape = (1, 4) if connection.vendor == "sqlite" else (4, 4)
    with running(tmp_path / "server.log", shape, API_KEY_LEASE=LEASE) as server:
        yield World(server, acme, admin, manager, make_key(name="Victim"), others)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_others_are_served_while_one_sends_its_worst(
    world: World, row: Row, report: Callable[[str], None]
) -> None:
    attack = row.attack(world)
    _measure(world)  # every worker has started and knows the keys
    quiet, quiet_alive = _measure(world)
    with flood(world.server.address, attack) as outcome:
        busy, alive = _measure(world)

    ratio = _p99(busy) / _p99(quiet)
    report(
        f"| {row.name} | {_times(quiet)} | {_times(busy)} | {ratio:.1f} |"
        f" {_times(quiet_alive)} | {_times(alive)} | {_told(outcome.statuses)} |"
    )
    assert {call.status for call in busy + alive} == {200}
    assert sum(outcome.statuses[status] for status in row.served)
    assert not {status for status in outcome.statuses if status >= 500}
    if row.waits:
        assert outcome.statuses[429], "some had to come back later"
    if os.environ.get("NEIGHBOR_CALLS"):
        assert ratio <= MOST


def _measure(world: World) -> tuple[list[Call], list[Call]]:
    """Another customer's checks, and the health check."""
    address = world.server.address
    with (
        Load(address, world.others, [CURRENT], clients=4, pause=0.02) as checks,
        Load(address, [""], ["/livez"], clients=1, pause=0.05) as alive,
    ):
        checks.wait_for(CALLS, 200, seconds=120)
        alive.wait_for(CALLS // 8, 200, seconds=120)
    return checks.calls, alive.calls


def _p99(calls: list[Call]) -> float:
    times = sorted(call.seconds for call in calls)
    return times[int(len(times) * 0.99)]


def _times(calls: list[Call]) -> str:
    """Median and 99th percentile in milliseconds."""
    median = statistics.median(call.seconds for call in calls)
    return f"{median * 1000:.0f} / {_p99(calls) * 1000:.0f}"


def _told(statuses: Counter[int]) -> str:
    return ", ".join(f"{n:,} × {s or 'none'}" for s, n in sorted(statuses.items()))
