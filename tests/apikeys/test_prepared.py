"""The query of a verification, which PostgreSQL plans once for each connection (docs/adr/0015)."""

from collections.abc import Iterator

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from apikeys import leases, tokens, verification
from apikeys.services import Issued
from apikeys.tokens import Environment
from apikeys.verification import Refusal, verify

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's statements"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _a_connection_of_its_own(transactional_db: None) -> Iterator[None]:
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
    _past_the_driver("PREPARE _pg3_0 AS SELECT 1")

    _verified_anew(issued)
    _verified_anew(issued)
    assert connection.connection.prepare_threshold is None


def test_a_column_that_has_another_type_costs_no_call(issued: Issued) -> None:
    _verified_anew(issued)
    _past_the_driver("ALTER TABLE apikeys_apikey ALTER name TYPE text")

    try:
        _verified_anew(issued)
    finally:
        _past_the_driver("ALTER TABLE apikeys_apikey ALTER name TYPE varchar(100)")


def test_an_answer_about_another_secret_opens_nothing(issued: Issued) -> None:
    """Such as that of another statement with the same name, in a session that was exchanged."""
    _verified_anew(issued)
    sql, _ = verification._compiled(connection.vendor, 1)
    _past_the_driver("DEALLOCATE _pg3_0")
    _past_the_driver(f"PREPARE _pg3_0 (bytea) AS {sql.replace('IN (%s)', '<> $1')}")

    assert verify(_unknown()).refusal is Refusal.UNKNOWN
    assert connection.connection.prepare_threshold == 0  # the statement was run


def test_other_errors_stay_errors() -> None:
    with pytest.raises(DataError):
        connection.fetch_prepared("SELECT 1 / %s::int", [0])  # type: ignore[attr-defined]

    assert connection.connection.prepare_threshold == 0


def test_behind_a_pooler_nothing_is_prepared(issued: Issued) -> None:
    connection.ensure_connection()
    connection.connection.prepare_threshold = None  # see test_env

    _verified_anew(issued)

    assert _prepared() == 0


def _verified_anew(issued: Issued) -> None:
    leases.clear()
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
