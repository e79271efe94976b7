"""Connections time out if PostgreSQL doesn't respond for longer than a request may wait."""

import contextlib
import inspect
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from psycopg import generators
from psycopg.adapt import Transformer
from psycopg.conninfo import make_conninfo

from config.postgresql import wait_budget
from config.postgresql.cancel import cancel_later
from config.postgresql.connection import PatientConnection, Silence, _finding_out
from organizations.models import Organization
from tests.support.logs import Lines

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="PostgreSQL's connections"
)


@pytest.fixture(autouse=True)
def _as_at_the_start() -> Iterator[None]:
    yield
    wait_budget.forget()
    _until(lambda: not _finding_out.locked())  # the thread has gone


@pytest.fixture(autouse=True)
def _nothing_goes_on(committed: None) -> Iterator[None]:
    """The next test waits until the server has canceled what was given up."""
    yield
    _until(lambda: _sleeping() == 0)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def all_silent(silent: int) -> Iterator[int]:
    """The same; new connections of Django go there as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(connection.settings_dict, "PORT", str(silent))
        yield silent


@pytest.fixture
def serving() -> Iterator[None]:
    """This process as config/wsgi.py leaves it, with connections made since."""
    connection.close()
    wait_budget.limit_each_wait(1)
    yield
    wait_budget.forget()
    connection.close()


def test_what_is_overridden_of_psycopg_is_as_it_was_read() -> None:
    """Read connection.py again before this is adapted to another version of psycopg."""
    parameters = {
        name: list(inspect.signature(getattr(psycopg.Connection, name)).parameters)
        for name in ("_connect_gen", "wait")
    }

    assert parameters == {
        "_connect_gen": ["conninfo"],
        "wait": ["self", "gen", "interval", "timeout"],
    }
    assert inspect.isgeneratorfunction(psycopg.Connection._connect_gen)
    assert "cls._connect_gen(conninfo)" in inspect.getsource(psycopg.Connection.connect)
    assert list(inspect.signature(generators.execute).parameters) == ["pgconn"]
    assert {"set_pgresult", "load_row"} <= set(dir(Transformer))
    assert psycopg.__version__.startswith("3.3.")


def test_a_query_that_takes_too_long_is_given_up_with_its_connection() -> None:
    with wait_budget.Budget(0.3), pytest.raises(OperationalError, match="does not respond"):
        _sleep(2)

    assert connection.connection.closed
    connection.close()
    assert _sleep(0) == 1


def test_a_transaction_that_is_given_up_leaves_nothing_open() -> None:
    with wait_budget.Budget(0.3), pytest.raises(OperationalError), transaction.atomic():
        _sleep(2)

    assert not connection.in_atomic_block
    assert _sleep(0) == 1


def test_quick_queries_do_not_hear_of_it() -> None:
    with wait_budget.Budget(5):
        assert [_sleep(0.01) for _ in range(3)] == [1, 1, 1]
        left = wait_budget.left()

    assert left is not None
    assert 0 < left < 5 - 0.03


def test_an_error_is_an_answer() -> None:
    assert _sleep(0) == 1
    _find_silent()

    with wait_budget.Budget(5), connection.cursor() as cursor:
        with pytest.raises(Exception, match="division by zero"):
            cursor.execute("SELECT 1 / 0")
        assert not wait_budget.is_silent()


def test_a_query_that_is_given_up_is_canceled_on_the_server() -> None:
    """Long before it would have ended by itself, and with its transaction."""
    with wait_budget.Budget(0.3), pytest.raises(OperationalError), transaction.atomic():
        _sleep(600)

    _until(lambda: _sleeping() == 0)


def test_cancel_requests_that_are_not_taken_hold_no_request_and_few_threads() -> None:
    """The server is asked by threads of their own, and no more than four of them."""
    with _forwarding(6) as port, contextlib.ExitStack() as stack:
        active = [psycopg.connect(_where(port)) for _ in range(6)]
        for one in active:
            stack.callback(one.close)
            one.pgconn.send_query(b"SELECT pg_sleep(600)")
            cancel_later(one.pgconn)

        waiting = _cancelers()
        _until(lambda: not _cancelers())
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM unnest(%s) AS pid",
                [[one.info.backend_pid for one in active]],
            )
            assert cursor.fetchone() == (6,)

    assert waiting == 4


def _cancelers() -> int:
    return sum(thread.name == "cancel" for thread in threading.enumerate())


def test_one_slow_query_is_not_an_outage(lines: Lines) -> None:
    with wait_budget.Budget(0.3), pytest.raises(OperationalError, match="does not respond"):
        _sleep(600)
    connection.close()  # as the end of a request does

    _until(lambda: not _finding_out.locked())

    assert not wait_budget.is_silent()
    assert "database_silent" not in [line["event"] for line in lines()]
    with wait_budget.Budget(5):
        assert _sleep(0) == 1


def test_a_server_that_accepts_and_says_nothing_is_given_up_while_connecting(
    all_silent: int, lines: Lines
) -> None:
    where = f"host=127.0.0.1 port={all_silent} connect_timeout=60"
    with wait_budget.Budget(0.3), pytest.raises(Silence):
        PatientConnection.connect(where)

    _until(wait_budget.is_silent)
    _until(lambda: "database_silent" in [line["event"] for line in lines()])
    wait_budget.note_wait(0, answered=True)


def test_a_wait_is_cut_short_once_the_server_is_found_silent() -> None:
    with wait_budget.Budget(600):
        threading.Thread(target=_find_silent_while_another_sleeps).start()
        with pytest.raises(OperationalError):
            _sleep(600)
        connection.close()
        _until(lambda: not wait_budget.is_silent())

        left = wait_budget.left()

    assert left is not None
    assert left > 300


def test_a_budget_that_is_spent_buys_no_connection(silent: int) -> None:
    where = f"host=127.0.0.1 port={silent} connect_timeout=60"
    with wait_budget.Budget(1):
        wait_budget.note_wait(1, answered=True)
        with pytest.raises(psycopg.OperationalError):
            PatientConnection.connect(where)


def test_a_thread_finds_out_when_the_server_is_back() -> None:
    _find_silent()
    with wait_budget.Budget(0.3), pytest.raises(OperationalError):
        _sleep(2)
    connection.close()  # as the end of a request does
    assert wait_budget.is_silent()

    _until(lambda: not wait_budget.is_silent())

    with wait_budget.Budget(5):
        assert _sleep(0) == 1


def test_a_request_that_finds_nobody_finding_out_sees_to_it(silent: int) -> None:
    _find_silent()
    with wait_budget.Budget(2), pytest.raises(psycopg.OperationalError):
        PatientConnection.connect(f"host=127.0.0.1 port={silent}")

    _until(lambda: not wait_budget.is_silent())


# --- Limits that the server keeps ---

LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")


def _limits() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in LIMITS)}")
        return list(cursor.fetchone())


def test_the_server_limits_sessions_of_serving_processes_alone() -> None:
    connection.close()
    assert _limits() == ["0", "0"]

    wait_budget.limit_each_wait(2)
    connection.close()
    assert _limits() == ["1800ms", "4s"]

    wait_budget.limit_each_wait(0)
    connection.close()
    assert _limits() == ["0", "0"]


def test_a_pooler_is_sent_no_limits(serving: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)

    assert "options" not in connection.get_connection_params()
    assert _limits() == ["0", "0"]


def test_limits_that_the_address_names_are_kept(
    serving: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = connection.settings_dict["OPTIONS"] | {"options": "-c statement_timeout=7s"}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    assert _limits() == ["7s", "2s"]


def test_a_query_that_the_server_cancels_is_away_and_no_silence(serving: None) -> None:
    with wait_budget.Budget(60), pytest.raises(OperationalError, match="statement timeout"):
        _sleep(600)

    assert not wait_budget.is_silent()
    assert _sleep(0) == 1  # the connection is kept


def test_a_session_that_stays_idle_in_a_transaction_is_ended(
    serving: None, acme: Organization
) -> None:
    """A frozen worker holds its row locks for seconds; once thawed it is told that it is away."""
    with pytest.raises(OperationalError, match="idle-in-transaction"):
        _idle_with_a_lock(acme)

    connection.close()
    assert _sleep(0) == 1


@transaction.atomic
def _idle_with_a_lock(organization: Organization) -> None:
    """Until another session has the lock; then goes on."""
    Organization.objects.select_for_update().get(pk=organization.pk)
    with psycopg.connect(_where(), autocommit=True) as other:
        other.execute("SELECT 1 FROM organizations_organization FOR UPDATE")
    Organization.objects.get(pk=organization.pk)


def _find_silent() -> None:
    wait_budget.begin_second_opinion()
    assert wait_budget.end_second_opinion()


def _find_silent_while_another_sleeps() -> None:
    _until(lambda: _sleeping() == 1)
    connection.close()
    _find_silent()


def _where(port: int | None = None) -> str:
    """The tests' database; on another port, what forwards to it."""
    known = connection.settings_dict
    host, port = ("127.0.0.1", port) if port else (known["HOST"], known["PORT"])
    return make_conninfo(
        host=host, port=port, user=known["USER"], password=known["PASSWORD"], dbname=known["NAME"]
    )


@contextmanager
def _forwarding(most: int) -> Iterator[int]:
    """The port of a server that hands on so many connections, and leaves later ones waiting."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        accepting = threading.Thread(target=_forward, args=[server, most])
        accepting.start()
        yield port
        accepting.join()


def _forward(server: socket.socket, most: int) -> None:
    known = connection.settings_dict
    for _ in range(most):
        client, _ = server.accept()
        target = socket.create_connection((known["HOST"], int(known["PORT"])))
        threading.Thread(target=_relay, args=[client, target]).start()


def _relay(client: socket.socket, target: socket.socket) -> None:
    with client, target, contextlib.suppress(OSError):
        while True:
            for source, sink in ((client, target), (target, client)):
                if select.select([source], [], [], 0.01)[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    sink.sendall(data)


def _sleeping() -> int:
    """Other sessions of this database that sleep."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(%%'"
            " AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _sleep(seconds: float) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_sleep(%s)", [seconds])
        return int(cursor.fetchone()[0])
