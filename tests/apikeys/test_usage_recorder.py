"""Usage is counted once, written in batches, and not lost when a process stops normally."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import structlog
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apikeys.models import ApiKey, KeyUsage, ScopeUse
from apikeys.services import Issued
from apikeys.usage.key_request import KeyUse, Result
from apikeys.usage.recorder import UsageRecorder
from apikeys.verification.verify import verify
from core import triggers
from core.triggers import Trigger
from tests.support.domain import ORIGIN, at_once

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
Make = Callable[..., Issued]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def _use(issued: Issued, **more: Any) -> KeyUse:
    outcome = verify(issued.secret)
    assert outcome.found
    return KeyUse(outcome.found, ORIGIN, outcome.digest, **more)


def _totals() -> dict[tuple[str, str], int]:
    rows = KeyUsage.objects.values_list("hour", "result", "requests")
    return {(f"{hour:%H}", result): requests for hour, result, requests in rows}


def test_requests_are_counted_by_hour_and_result(
    issued: Issued, clock: time_machine.Traveller
) -> None:
    recorder, use = UsageRecorder(), _use(issued)
    for status in (200, 201, 204, 302, 404, 409, 500, 503):
        recorder.note(use, status)
    recorder.note(_use(issued, refusal="rate_limited"), 429)
    recorder.note(_use(issued, refusal="live_key_required"), 403)
    clock.shift(3600)
    recorder.note(use, 200)

    recorder.flush()

    assert _totals() == {
        ("12", "ok"): 4,
        ("12", "client_error"): 2,
        ("12", "server_error"): 2,
        ("12", "rate_limited"): 1,
        ("12", "forbidden"): 1,
        ("13", "ok"): 1,
    }


def test_batches_of_several_processes_add_up(issued: Issued) -> None:
    use = _use(issued)
    for _ in range(3):
        recorder = UsageRecorder()
        for _ in range(5):
            recorder.note(use, 200)
        recorder.flush()
        recorder.flush()

    assert sum(KeyUsage.objects.values_list("requests", flat=True)) == 15


def test_threads_lose_no_count(committed: None, make_key: Make) -> None:
    recorder, use = UsageRecorder(), _use(make_key())

    def work() -> None:
        for number in range(500):
            recorder.note(use, 200)
            if number % 100 == 0:
                recorder.flush()

    at_once([work] * 6)
    recorder.flush()

    assert sum(KeyUsage.objects.values_list("requests", flat=True)) == 3000


def test_a_request_asks_nothing_of_the_database(issued: Issued) -> None:
    recorder, use = UsageRecorder(), _use(issued, scope="search:read")

    with CaptureQueriesContext(connection) as queries:
        recorder.note(use, 200)

    assert len(queries) == 0


def test_a_batch_costs_as_many_statements_as_it_has_kinds_of_rows(make_key: Make) -> None:
    def cost(keys: int) -> int:
        recorder = UsageRecorder()
        for use in [_use(make_key(), scope="search:read") for _ in range(keys)]:
            recorder.note(use, 200)
        with CaptureQueriesContext(connection) as queries:
            recorder.flush()
        return len([q for q in queries if connection.vendor != "sqlite" or "SELECT" in q["sql"]])

    few, many = cost(1), cost(40)

    if connection.vendor == "postgresql":
        assert few == many
    assert KeyUsage.objects.count() == ScopeUse.objects.count() == 41
    assert ApiKey.objects.exclude(last_used_at=None).count() == 41


def test_the_last_use_is_noted_once_a_minute_however_many_requests_there_are(
    issued: Issued, clock: time_machine.Traveller
) -> None:
    recorder, use, noted = UsageRecorder(), _use(issued), []
    for _ in range(5):
        for _ in range(10):
            recorder.note(use, 200)
        recorder.flush()
        noted.append(ApiKey.objects.get().last_used_at)
        clock.shift(30)

    minutes = [(at - NOON).total_seconds() / 60 for at in noted if at]
    assert minutes == [0, 0, 1, 1, 2]


def test_a_refused_key_has_not_been_used(issued: Issued) -> None:
    recorder = UsageRecorder()
    recorder.note(_use(issued, usable=False, refusal="key_revoked"), 401)

    recorder.flush()

    assert ApiKey.objects.get().last_used_at is None
    assert [usage.result for usage in KeyUsage.objects.all()] == [Result.KEY_REVOKED]


def test_the_day_of_a_scope_moves_forward_only(
    issued: Issued, clock: time_machine.Traveller
) -> None:
    recorder, use = UsageRecorder(), _use(issued, scope="search:read")
    for _ in range(2):
        recorder.note(use, 200)
        recorder.flush()
        clock.shift(24 * 3600)
    clock.shift(-5 * 24 * 3600)
    recorder.note(use, 200)
    recorder.flush()

    assert ScopeUse.objects.get().last_used_on == date(2026, 11, 22)


def test_the_day_of_a_scope_is_written_once(issued: Issued, clock: time_machine.Traveller) -> None:
    """Each batch would write it again, for every key that is called."""
    recorder, use, written = UsageRecorder(), _use(issued, scope="search:read"), []
    for _ in range(3):
        recorder.note(use, 200)
        with CaptureQueriesContext(connection) as queries:
            recorder.flush()
        written.append(any("apikeys_scopeuse" in query["sql"] for query in queries))
        clock.shift(10)
    clock.shift(24 * 3600)
    recorder.note(use, 200)
    recorder.flush()

    assert written == [True, False, False]
    assert ScopeUse.objects.get().last_used_on == date(2026, 11, 22)


def test_a_use_that_another_process_has_noted_is_not_noted_again(
    issued: Issued, clock: time_machine.Traveller
) -> None:
    first = UsageRecorder()
    first.note(_use(issued), 200)
    first.flush()
    clock.shift(20)
    other, use = UsageRecorder(), _use(issued)
    for _ in range(3):
        other.note(use, 200)
    assert not other._uses
    clock.shift(45)
    other.note(use, 200)

    assert len(other._uses) == 1


def test_a_scope_that_was_lacking_was_not_used(issued: Issued) -> None:
    recorder = UsageRecorder()
    recorder.note(_use(issued, scope="api-keys:manage", refusal="insufficient_scope"), 403)

    recorder.flush()

    assert not ScopeUse.objects.exists()


def test_what_cannot_be_written_is_written_later(committed: None, make_key: Make) -> None:
    full = Trigger(
        name="no_usage_can_be_written",
        table="apikeys_keyusage",
        events=("INSERT",),
        condition="TRUE",
    )
    recorder, use = UsageRecorder(), _use(make_key(), scope="search:read")
    recorder.note(use, 200)
    triggers.install(connection, [full])
    try:
        with structlog.testing.capture_logs() as logs:
            recorder.flush()
    finally:
        triggers.remove(connection, [full])
    recorder.note(use, 200)
    recorder.flush()

    assert [line["event"] for line in logs] == ["usage_not_written"]
    assert KeyUsage.objects.get().requests == 2
    assert ScopeUse.objects.count() == 1


def test_a_row_that_somebody_holds_is_tried_again(
    committed: None, make_key: Make, settings: Any
) -> None:
    from django.db import transaction

    issued = make_key()
    recorder, use, held, done = UsageRecorder(), _use(issued), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(ApiKey.objects.select_for_update())
            held.set()
            done.wait(10)

    def write() -> None:
        held.wait(10)
        recorder.note(use, 200)
        recorder.flush()
        done.set()

    if connection.vendor == "postgresql":
        at_once([hold, write])
        assert ApiKey.objects.get().last_used_at is None
    recorder.note(use, 200)
    recorder.flush()

    assert ApiKey.objects.get().last_used_at is not None


def test_a_thread_of_its_own_writes_what_is_open(
    committed: None, make_key: Make, settings: Any
) -> None:
    settings.USAGE_INTERVAL = 0.05
    recorder, use = UsageRecorder(), _use(make_key())
    recorder.note(use, 200)

    deadline = time.monotonic() + 10
    while not KeyUsage.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    settings.USAGE_INTERVAL = 10
    recorder.note(use, 200)
    recorder.close()
    assert KeyUsage.objects.get().requests == 2
    assert recorder._thread
    assert not recorder._thread.is_alive()


def test_nothing_of_a_secret_is_kept(issued: Issued) -> None:
    recorder = UsageRecorder()
    recorder.note(_use(issued), 200)

    kept = repr((recorder._requests, recorder._uses, recorder._scopes, recorder._noted._young))
    assert issued.secret[13:] not in kept
    assert verify(issued.secret).digest.hex() not in kept
