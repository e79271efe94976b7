"""Usage across several workers that stop normally equals the requests sent."""

from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from apikeys.models import ApiKey, KeyUsage
from apikeys.services import Issued, set_key_rate_limit_tier
from organizations.models import Organization
from organizations.services import set_rate_limit_tier
from tests.factories import SYSTEM
from tests.reliability.live.conftest import Server, at_once, running
from tests.support.api import MakeKey

CALLS = 400


def test_every_request_is_counted_over_all_workers_and_a_graceful_stop(
    server: Server, reader: Issued
) -> None:
    def ask(number: int) -> int:
        path = "/v1/api-keys/current" if number % 2 else "/v1/api-keys"
        return server.call("GET", path, key=reader).status_code

    statuses = [status for _ in range(CALLS // 20) for status in at_once(20, ask)]
    server.stop()

    assert sorted(set(statuses)) == [200, 403]
    counted = dict(KeyUsage.objects.values_list("result", "requests"))
    assert counted == {"ok": CALLS // 2, "insufficient_scope": CALLS // 2}
    assert ApiKey.objects.get(pk=reader.key.pk).last_used_at is not None


@pytest.mark.skipif(
    connection.vendor != "sqlite" and not settings.REDIS_URL, reason="workers that share no store"
)
def test_three_hundred_calls_at_a_limit_of_fifty(
    server: Server, manager: Issued, reader: Issued, acme: Organization
) -> None:
    """Exactly fifty get through four workers that share a store, or the one process of SQLite.

    In whichever format they come: a key has one budget.
    """
    set_key_rate_limit_tier(manager.key, tier="tiny", actor=SYSTEM)
    paths = [
        "/v1/api-keys/current",
        "/envelope/v1/api-keys",
        f"/api/v1/workspaces/{acme.id}/api-keys",
        f"/v1/accounts/{acme.id}/templates",
    ]

    def ask(number: int) -> tuple[str, int]:
        path = paths[number % len(paths)]
        return path, server.call("GET", path, key=manager).status_code

    _let_every_worker_ask(server, reader)
    answers = at_once(300, ask)

    assert Counter(status for _, status in answers) == {200: 50, 429: 250}
    assert {path for path, status in answers if status == 429} == set(paths)


@pytest.mark.skipif(
    connection.vendor != "sqlite" and not settings.REDIS_URL, reason="workers that share no store"
)
def test_three_hundred_calls_of_ten_keys_at_a_limit_of_fifty_of_their_organization(
    committed: None, tmp_path: Path, acme: Organization, foreigner: Issued, make_key: MakeKey
) -> None:
    """Exactly fifty, though each key may make six hundred; another organization loses nothing."""
    set_rate_limit_tier(acme, tier="tiny", actor=SYSTEM)
    keys = [make_key() for _ in range(10)]
    for key in keys:
        set_key_rate_limit_tier(key.key, tier="standard", actor=SYSTEM)

    def ask(number: int) -> tuple[int, str]:
        answer = server.call("GET", "/v1/api-keys/current", key=keys[number % len(keys)])
        return answer.status_code, answer.headers["RateLimit-Policy"]

    with running(tmp_path / "server.log", ORGANIZATION_RATE_LIMIT_FACTOR="1") as server:
        _let_every_worker_ask(server, foreigner)
        answers = at_once(300, ask)
        elsewhere = server.statuses(foreigner)

    assert Counter(status for status, _ in answers) == {200: 50, 429: 250}
    policy = '"standard";q=600;w=60, "organization";q=50;w=60'
    assert {told for _, told in answers} == {policy}
    assert set(elsewhere) == {200}
    usage = KeyUsage.objects.filter(key__in=[issued.key.pk for issued in keys])
    counted: Counter[str] = Counter()
    for result, requests in usage.values_list("result", "requests"):
        counted[result] += requests
    assert counted == {"ok": 50, "rate_limited": 250}


def _let_every_worker_ask(server: Server, key: Issued) -> None:
    """Calls until each worker has asked the store for a part of a limit."""
    if not settings.REDIS_URL:
        return
    store = urlsplit(settings.REDIS_URL).port or 6379
    assert len(server.workers) == (1 if connection.vendor == "sqlite" else 4)
    rounds = 50
    while _connected(server, store) != set(server.workers):
        assert rounds, "some worker takes no call"
        rounds -= 1
        server.statuses(key, 8)


def _connected(server: Server, port: int) -> set[int]:
    """The workers with a connection to a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(f":{port:04X}")}
    return {
        worker
        for worker in server.workers
        for file in Path(f"/proc/{worker}/fd").iterdir()
        if _target(file) in sockets
    }


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:
        return ""  # closed meanwhile
