"""The real follower and its thread on the real database."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from pytest_django import Settings

from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification import key_cache, verify
from apikeys.verification.key_cache import VerifiedSecrets
from core.revocation_clock.follower import Follower
from core.sqlite_writers import write_lock
from organizations.models import Change, Clock
from organizations.models import Follower as Row
from tests.support.following import LEASE, eventually, follow, is_trusted

Make = Callable[..., Issued]
#: The full size is 64 × 200.
WRITERS = int(os.environ.get("CLOCK_WRITERS", "16"))
CHANGES = int(os.environ.get("CLOCK_CHANGES", "10"))


@pytest.fixture
def following(committed: None, settings: Settings) -> Iterator[None]:
    settings.API_KEY_LEASE = LEASE
    follow()
    yield
    key_cache.stop()


def _rename(key: ApiKey, name: str) -> None:
    with write_lock(), transaction.atomic(), connection.cursor() as cursor:
        written = key.pk if connection.vendor == "postgresql" else key.pk.hex
        cursor.execute("UPDATE apikeys_apikey SET name = %s WHERE id = %s", [name, written])


def _threads(count: int, work: Callable[[int], object]) -> list[threading.Thread]:
    def run(number: int) -> None:
        try:
            work(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_no_change_is_missed(following: None, make_key: Make) -> None:
    """Writers change a key each, readers keep filling the cache with all of them meanwhile."""
    issued = [make_key(name=f"Key {n}") for n in range(WRITERS)]
    start, done = Clock.objects.get().number, threading.Event()

    def write(number: int) -> None:
        for round_ in range(CHANGES):
            _rename(issued[number].key, f"{number} {round_}")

    def read(seed: int) -> None:
        random = Random(seed)
        while not done.is_set():
            assert verify.verify(random.choice(issued).secret).refusal is None

    writers, readers = _threads(WRITERS, write), _threads(2, read)
    for writer in writers:
        writer.join()
    eventually(lambda: key_cache.follower.trust.applied == start + WRITERS * CHANGES)
    done.set()
    for reader in readers:
        reader.join()

    _expect_all(start, WRITERS * CHANGES)
    for one in issued:
        digest = verify.verify(one.secret).digest
        one.key.refresh_from_db()
        kept = key_cache.cache.get(digest)
        assert kept
        assert kept.name == one.key.name


def _expect_all(start: int, changes: int) -> None:
    assert Clock.objects.get().number == start + changes
    numbers = Change.objects.filter(number__gt=start).order_by("number")
    expected = list(range(start + 1, start + changes + 1))
    assert list(numbers.values_list("number", flat=True)) == expected
    eventually(lambda: set(Row.objects.values_list("number", flat=True)) == {start + changes})


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The statements that followers' threads have sent."""
    sent: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append(sql)
        return execute(sql, params, many, context)

    def watch(sender: object, connection: BaseDatabaseWrapper, **_: object) -> None:
        if threading.current_thread().name == "clock" and note not in connection.execute_wrappers:
            connection.execute_wrappers.append(note)

    connection_created.connect(watch)
    yield sent
    connection_created.disconnect(watch)


def test_an_idle_process_asks_less_than_three_times_a_second(
    committed: None, settings: Settings, statements: list[str]
) -> None:
    settings.API_KEY_LEASE = seconds_of_a_lease = 1.0
    follow()
    began, before = time.monotonic(), len(statements)

    time.sleep(5 * seconds_of_a_lease)

    seconds = time.monotonic() - began
    assert 5 <= len(statements) - before <= 3 * seconds + 1
    key_cache.stop()


def test_a_change_costs_a_process_two_statements_more(
    committed: None, settings: Settings, statements: list[str], make_key: Make
) -> None:
    """It polls and acknowledges; what NOTIFY brings with the poll's own result is no news."""
    settings.API_KEY_LEASE = 20.0
    key = make_key().key
    follow()
    before = len(statements)

    for round_ in range(5):
        _rename(key, str(round_))
        key_cache.follower.catch_up()  # where nothing wakes the thread
        eventually(lambda: key_cache.follower.trust.applied == Clock.objects.get().number)

    time.sleep(0.5)
    assert len(statements) - before <= 5 * 2 + 1
    key_cache.stop()


# --- What a follower survives ---


def test_a_follower_listens_again_after_it_has_lost_its_connection(
    following: None, lines: Any
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Nothing is listened to.")
    lost = key_cache.follower._listening

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    eventually(lambda: key_cache.follower._listening not in {None, lost})

    assert {line["event"] for line in lines()} >= {"clock_not_followed"}
    eventually(is_trusted)


def test_a_follower_that_naps_for_long_stops_when_it_is_told(
    committed: None, settings: Settings
) -> None:
    settings.API_KEY_LEASE = 600.0
    follow()
    thread = key_cache.follower._thread
    assert thread

    key_cache.stop()

    assert not thread.is_alive()
    assert not Row.objects.exists()


def test_a_stopped_follower_can_be_started_again(following: None) -> None:
    key_cache.stop()
    assert not is_trusted()

    follow()

    assert Row.objects.count() == 1


def test_a_child_of_a_fork_trusts_nothing_of_its_parent(target: Issued) -> None:
    digest = verify.verify(target.secret).digest
    assert key_cache.held(digest)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # no test goes on in the child
        kept = key_cache.held(digest) or key_cache.cache.get(digest) or key_cache.follower._thread
        os.write(writing, b"kept" if kept else b"nothing")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 10) == b"nothing"
    assert key_cache.held(digest)


@pytest.fixture
def target(following: None, make_key: Make) -> Issued:
    issued = make_key(name="Target")
    assert verify.verify(issued.secret).refusal is None
    return issued


class Fragile(VerifiedSecrets):
    """Fails once when it has to drop something."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.dropped: list[UUID] = []

    def drop(self, changes: Iterable[tuple[str, UUID]]) -> None:
        if not self.failures:
            self.failures += 1
            raise LookupError("for the test")
        self.dropped += [target for _, target in changes]


def test_a_follower_that_fails_trusts_nothing_and_starts_over(
    committed: None, make_key: Make, lines: Any
) -> None:
    key = make_key().key
    cache = Fragile()
    follower = Follower(cache)
    follower.start(LEASE, 0)
    eventually(lambda: time.monotonic() < follower.trust.until)
    row = Row.objects.get()

    _rename(key, "Changed")
    eventually(lambda: Row.objects.exclude(pk=row.pk).exists())
    eventually(lambda: time.monotonic() < follower.trust.until)
    _rename(key, "Changed again")
    eventually(lambda: cache.dropped == [key.pk])
    follower.stop()

    assert "clock_follower_failed" in {line["event"] for line in lines()}
