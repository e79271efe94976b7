"""On the real database, numbers are in commit order, and no session blocks the others."""

import threading
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest
from django.db import OperationalError, connection, connections, transaction

from apikeys.models import ApiKey
from apikeys.services import Issued
from core.revocation_clock import store
from core.sqlite_writers import write_lock
from organizations.models import Change, Clock
from tests.support.following import eventually

pytestmark = pytest.mark.usefixtures("committed")

Make = Callable[..., Issued]
_WRITERS = 6
_TRANSACTIONS = 20


class RolledBack(Exception):
    pass


def _rename(key: ApiKey, name: str) -> None:
    with connection.cursor() as cursor:
        written = key.pk if connection.vendor == "postgresql" else key.pk.hex
        cursor.execute("UPDATE apikeys_apikey SET name = %s WHERE id = %s", [name, written])


def _thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _write(keys: list[ApiKey], committed: list[int], seed: int) -> None:
    """Transactions of one to three changes, of which every third is rolled back."""
    random = Random(seed)
    for round_ in range(_TRANSACTIONS):
        changed = random.randint(1, 3)
        try:
            with write_lock(), transaction.atomic():
                for key in sorted(random.sample(keys, changed), key=lambda key: key.pk):
                    _rename(key, f"{seed} {round_}")
                if round_ % 3 == 0:
                    raise RolledBack
            committed.append(changed)
        except RolledBack:
            pass


def test_numbers_come_in_commit_order_without_gaps(make_key: Make) -> None:
    """A reader that always asks for what came after the last number sees every change once."""
    keys = [make_key(name=f"Key {n}").key for n in range(8)]
    start = Clock.objects.get().number
    committed: list[int] = []
    writers = [
        _thread(lambda seed=seed: _write(keys, committed, seed))  # type: ignore[misc]
        for seed in range(_WRITERS)
    ]

    seen = start
    while any(writer.is_alive() for writer in writers):
        found = store.poll(seen)
        assert len(found.changes) == found.number - seen
        seen = found.number
        time.sleep(0.001)
    found = store.poll(seen)
    assert len(found.changes) == found.number - seen

    assert len(committed) == _WRITERS * (_TRANSACTIONS - -(-_TRANSACTIONS // 3))
    assert found.number - start == sum(committed)
    numbers = Change.objects.filter(number__gt=start).order_by("number")
    expected = list(range(start + 1, found.number + 1))
    assert list(numbers.values_list("number", flat=True)) == expected


def test_a_change_that_was_rolled_back_takes_no_number(make_key: Make) -> None:
    key = make_key().key
    before = Clock.objects.get().number

    with transaction.atomic():
        _rename(key, "Never")
        transaction.set_rollback(True)

    assert Clock.objects.get().number == before


@pytest.fixture
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer.")


class Session:
    """A client that begins a transaction, and freezes until it is told to go on."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._has_begun, self._may_end = threading.Event(), threading.Event()
        self._thread = _thread(self._run)
        assert self._has_begun.wait(30)

    def _run(self) -> None:
        with transaction.atomic():
            self._work()
            self._has_begun.set()
            assert self._may_end.wait(60)

    def end(self) -> None:
        self._may_end.set()
        self._thread.join()


@pytest.fixture
def frozen() -> Iterator[Callable[[Callable[[], object]], Session]]:
    sessions: list[Session] = []

    def freeze(work: Callable[[], object]) -> Session:
        sessions.append(Session(work))
        return sessions[-1]

    yield freeze
    for session in sessions:
        session.end()


def test_a_session_that_freezes_within_a_transaction_does_not_hold_the_clock(
    on_postgresql: None, make_key: Make, frozen: Callable[[Callable[[], object]], Session]
) -> None:
    """Neither after it has changed a key, nor while it holds an organization's row."""
    mine, other = make_key(name="Mine").key, make_key(name="Other").key

    def work() -> None:
        type(mine.organization).objects.select_for_update().get(pk=mine.organization_id)
        _rename(mine, "Changed")

    session = frozen(work)
    before = Clock.objects.get().number

    _rename(other, "Changed too")

    assert Clock.objects.get().number == before + 1
    session.end()
    assert Clock.objects.get().number == before + 2
    targets = Change.objects.filter(number__gt=before).order_by("number")
    assert list(targets.values_list("target_id", flat=True)) == [other.pk, mine.pk]


def test_a_commit_that_cannot_get_the_clock_is_refused(
    on_postgresql: None, make_key: Make, frozen: Callable[[Callable[[], object]], Session]
) -> None:
    """Someone has written to the clock by hand, and does not commit."""
    key = make_key(name="Before").key
    frozen(lambda: Clock.objects.update(number=1_000))

    with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
        _rename(key, "After")

    key.refresh_from_db()
    assert key.name == "Before"


def test_commits_wait_for_the_one_that_has_the_clock(
    on_postgresql: None, make_key: Make, frozen: Callable[[Callable[[], object]], Session]
) -> None:
    keys = [make_key(name=f"Key {n}").key for n in range(3)]
    before = Clock.objects.get().number
    session = frozen(lambda: Clock.objects.update(number=before + 1))

    writers = [_thread(lambda key=key: _rename(key, "After")) for key in keys]  # type: ignore[misc]
    eventually(lambda: _waiting() == len(keys))
    session.end()
    for writer in writers:
        writer.join()

    assert Clock.objects.get().number == before + 1 + len(keys)


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])
