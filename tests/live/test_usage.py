"""Usage over several workers and an orderly end: as many as were sent."""

import pytest
from django.conf import settings
from django.db import connection

from apikeys.models import ApiKey, KeyUsage
from apikeys.services import Issued, set_key_rate_limit_tier
from tests.factories import SYSTEM
from tests.live.conftest import Server, at_once

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
def test_three_hundred_calls_at_a_limit_of_fifty(server: Server, reader: Issued) -> None:
    """Exactly fifty get through four workers that share a store, or the one process of SQLite."""
    set_key_rate_limit_tier(reader.key, tier="tiny", actor=SYSTEM)

    statuses = server.statuses(reader, 300)

    assert statuses.count(200) == 50
    assert statuses.count(429) == 250
