"""Connections that give up when PostgreSQL is silent for longer than a request may wait."""

import socket
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from config import patience
from config.postgresql.base import PatientConnection, Silence, _finding_out

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL's connections"
)


@pytest.fixture(autouse=True)
def _as_at_the_start() -> Iterator[None]:
    yield
    patience.forget()
    _until(lambda: not _finding_out.locked())  # the thread has gone


@pytest.fixture(autouse=True)
def _nothing_goes_on(transactional_db: None) -> Iterator[None]:
    """A server ends what it was doing for a client that has gone; the next test waits for it."""
    yield
    others = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(%%' AND pid <> %s"

    def ended() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(others, [connection.connection.info.backend_pid])
            return int(cursor.fetchone()[0]) == 0

    _until(ended)


def test_a_query_that_takes_too_long_is_given_up_with_its_connection() -> None:
    with patience.Budget(0.3), pytest.raises(OperationalError, match="does not answer"):
        _sleep(2)

    assert connection.connection.closed
    connection.close()
    assert _sleep(0) == 1


def test_a_transaction_that_is_given_up_leaves_nothing_open() -> None:
    with patience.Budget(0.3), pytest.raises(OperationalError), transaction.atomic():
        _sleep(2)

    assert not connection.in_atomic_block
    assert _sleep(0) == 1


def test_quick_queries_do_not_hear_of_it() -> None:
    with patience.Budget(5):
        assert [_sleep(0.01) for _ in range(3)] == [1, 1, 1]
        left = patience.left()

    assert left is not None
    assert 0 < left < 5 - 0.03


def test_an_error_is_an_answer() -> None:
    assert _sleep(0) == 1
    patience.note_wait(1, answered=False)

    with patience.Budget(5), connection.cursor() as cursor:
        with pytest.raises(Exception, match="division by zero"):
            cursor.execute("SELECT 1 / 0")
        assert not patience.is_silent()


def test_a_server_that_accepts_and_says_nothing_is_given_up_while_connecting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"host=127.0.0.1 port={silent.getsockname()[1]} connect_timeout=60"
        with patience.Budget(0.3), pytest.raises(Silence):
            PatientConnection.connect(where)

    assert patience.is_silent()


def test_a_budget_that_is_spent_buys_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"host=127.0.0.1 port={silent.getsockname()[1]} connect_timeout=60"
        with patience.Budget(1):
            patience.note_wait(1, answered=True)
            with pytest.raises(psycopg.OperationalError):
                PatientConnection.connect(where)


def test_a_thread_finds_out_when_the_server_is_back() -> None:
    with patience.Budget(0.3), pytest.raises(OperationalError):
        _sleep(2)
    connection.close()  # as the end of a request does
    assert patience.is_silent()

    _until(lambda: not patience.is_silent())

    with patience.Budget(5):
        assert _sleep(0) == 1


def test_a_request_that_finds_nobody_finding_out_sees_to_it() -> None:
    patience.note_wait(2, answered=False)
    with socket.create_server(("127.0.0.1", 0)) as silent, patience.Budget(2):
        where = f"host=127.0.0.1 port={silent.getsockname()[1]}"
        with pytest.raises(psycopg.OperationalError):
            PatientConnection.connect(where)

    _until(lambda: not patience.is_silent())


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _sleep(seconds: float) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_sleep(%s)", [seconds])
        return int(cursor.fetchone()[0])
