"""The verification query, which PostgreSQL plans once per connection (docs/adr/0015)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import (
    DEFAULT_DB_ALIAS,
    DataError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from apikeys import tokens
from apikeys.services import Issued
from apikeys.tokens import Environment, Peppers
from apikeys.verification import key_cache, query
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from config.postgresql import wait_budget
from config.postgresql.connection import name_of

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's statements"),
]


@pytest.fixture(autouse=True)
def _a_connection_of_its_own(committed: None) -> Iterator[None]:
    connection.close()  # a new one has prepared nothing
    yield
    connection.close()


def test_it_is_prepared_once_and_counts_like_any_other() -> None:
    with CaptureQueriesContext(connection) as queries:
        outcomes = [verify(_unknown()) for _ in range(3)]

    assert {outcome.refusal for outcome in outcomes} == {Refusal.UNKNOWN}
    assert len(queries) == 3
    assert _prepared() == 1


def test_a_session_that_does_not_know_it_costs_no_call(issued: Issued) -> None:
    _verified_anew(issued)
    _past_the_driver("DEALLOCATE ALL")

    _verified_anew(issued)
    _verified_anew(issued)
    assert connection.connection.prepare_threshold is None


def test_a_session_that_knows_the_name_already_costs_no_call(issued: Issued) -> None:
    connection.ensure_connection()
    _past_the_driver(f"PREPARE {_name()} AS SELECT 1")

    _verified_anew(issued)
    _verified_anew(issued)
    assert connection.connection.prepare_threshold is None


def test_a_column_that_has_another_type_costs_no_call(issued: Issued) -> None:
    _verified_anew(issued)
    _past_the_driver("ALTER TABLE apikeys_apikeysecret ALTER pepper TYPE bigint")

    try:
        _verified_anew(issued)
    finally:
        _past_the_driver("ALTER TABLE apikeys_apikeysecret ALTER pepper TYPE smallint")


def test_an_answer_about_another_secret_opens_nothing(issued: Issued) -> None:
    """Such as that of another statement with the same name, in a session that was exchanged."""
    _verified_anew(issued)
    sql, _ = query._compiled(connection.vendor, 1)
    _past_the_driver(f"DEALLOCATE {_name()}")
    _past_the_driver(f"PREPARE {_name()} (bytea) AS {sql.replace('IN (%s)', '<> $1')}")

    assert verify(_unknown()).refusal is Refusal.UNKNOWN
    assert connection.connection.prepare_threshold == 0  # the statement was run


def test_other_errors_stay_errors() -> None:
    with pytest.raises(DataError):
        _fetch("SELECT 1 / length(%s)")

    assert connection.connection.prepare_threshold == 0


def test_behind_a_pooler_nothing_is_prepared(issued: Issued) -> None:
    connection.ensure_connection()
    connection.connection.prepare_threshold = None  # see test_env

    _verified_anew(issued)

    assert _prepared() == 0


def test_peppers_of_another_number_are_another_statement(issued: Issued, settings: Any) -> None:
    older = settings.API_KEY_PEPPERS
    settings.API_KEY_PEPPERS = Peppers(9, {9: b"n" * 32, **older.values})

    _verified_anew(issued)
    _verified_anew(issued)
    settings.API_KEY_PEPPERS = older
    _verified_anew(issued)

    assert _prepared() == 2


def test_whoever_wraps_queries_sees_it(issued: Issued) -> None:
    seen: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        _verified_anew(issued)

    assert [sql.partition(" ")[0] for sql in seen] == ["SELECT"]


def test_in_a_broken_transaction_nothing_is_asked(issued: Issued) -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            _verified_anew(issued)


def test_a_silent_server_is_given_up(issued: Issued) -> None:
    _verified_anew(issued)

    with wait_budget.Budget(0.3), pytest.raises(OperationalError, match="does not respond"):
        _fetch("SELECT 1 FROM pg_sleep(2 + length(%s))")

    assert connection.connection.closed
    wait_budget.forget()
    connection.close()
    _verified_anew(issued)


def test_a_connection_that_was_cut_is_replaced(issued: Issued) -> None:
    _verified_anew(issued)
    pid = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()

    with pytest.raises(OperationalError):
        _verified_anew(issued)
    connection.close_if_unusable_or_obsolete()  # as the end of a request does
    _verified_anew(issued)


def _fetch(sql: str) -> Any:
    database: Any = connections[DEFAULT_DB_ALIAS]
    return database.fetch_prepared(sql, [b""])


def _name() -> str:
    return name_of(query._compiled(connection.vendor, 1)[0]).decode()


def _verified_anew(issued: Issued) -> None:
    key_cache.stop()
    assert verify(issued.secret).refusal is None


def _unknown() -> str:
    return tokens.generate("sig", Environment.LIVE)


def _past_the_driver(sql: str) -> None:
    """Says something to the session of which psycopg hears nothing."""
    result = connection.connection.pgconn.exec_(sql.encode())
    assert not result.error_message, result.error_message


def _prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])
