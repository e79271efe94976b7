"""Recording when and where a key was last used."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
import time_machine
from django.db import connection, connections, transaction
from pytest_django import DjangoAssertNumQueries

from apikeys.models import ApiKey, ApiKeySecret
from apikeys.services import Issued, rotate_api_key
from apikeys.tokens import Peppers, read_peppers
from apikeys.verification.types import VerifiedKey
from apikeys.verification.verify import verify
from core import triggers
from core.actors import Actor, RequestContext
from core.transactions import allowed
from core.triggers import Trigger
from tests.support.domain import ORIGIN
from tests.support.last_used import note_use

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, until the test moves on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def _found(issued: Issued) -> VerifiedKey:
    found = verify(issued.secret).found
    assert found
    return found


def _use(issued: Issued, origin: RequestContext = ORIGIN) -> datetime | None:
    """Uses the key and returns the time that is noted after it."""
    note_use(_found(issued), issued.secret, origin)
    return ApiKey.objects.get(pk=issued.key.pk).last_used_at


def test_a_use_notes_time_address_and_user_agent(
    issued: Issued, clock: time_machine.Traveller
) -> None:
    _use(issued)

    key = ApiKey.objects.get()
    assert key.last_used_at == NOW
    assert (key.last_used_ip, key.last_used_user_agent) == (ORIGIN.ip, ORIGIN.user_agent)
    assert key.updated_at == issued.key.updated_at


def test_a_use_is_noted_once_a_minute(issued: Issued, clock: time_machine.Traveller) -> None:
    noted = []
    for _ in range(5):
        noted.append(_use(issued))
        clock.shift(MINUTE / 2)

    assert noted == [NOW, NOW, NOW + MINUTE, NOW + MINUTE, NOW + 2 * MINUTE]


def test_a_use_within_the_minute_costs_no_query(
    issued: Issued,
    clock: time_machine.Traveller,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _use(issued)
    found = _found(issued)

    with django_assert_num_queries(0):
        note_use(found, issued.secret, ORIGIN)


def test_a_worker_with_an_older_reading_does_not_note_the_same_minute_again(
    issued: Issued, clock: time_machine.Traveller
) -> None:
    stale = _found(issued)
    _use(issued)
    clock.shift(MINUTE / 2)

    note_use(stale, issued.secret, RequestContext(ip="198.51.100.9"))

    key = ApiKey.objects.get()
    assert (key.last_used_at, key.last_used_ip) == (NOW, ORIGIN.ip)


@pytest.mark.parametrize("skew", [-timedelta(days=1), -MINUTE, -timedelta(seconds=1)])
def test_the_time_never_moves_backwards(
    skew: timedelta, issued: Issued, clock: time_machine.Traveller
) -> None:
    """AB61, with a clock set back and a worker that has not seen the later time."""
    stale = _found(issued)
    _use(issued)

    clock.shift(skew)
    note_use(stale, issued.secret, ORIGIN)

    assert _use(issued) == NOW


def test_every_key_is_noted_for_itself(
    make_key: Callable[..., Issued], clock: time_machine.Traveller
) -> None:
    one, other = make_key(), make_key()

    _use(one)

    other.key.refresh_from_db()
    assert other.key.last_used_at is None


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("model", [ApiKey, ApiKeySecret])
def test_a_use_neither_fails_nor_waits_while_another_writer_holds_the_row(
    model: type[ApiKey] | type[ApiKeySecret], settings: Any, make_key: Callable[..., Issued]
) -> None:
    """The writer lets go only after `note_use` has returned, or else gives up and says so."""
    issued = make_key()
    found = _found(issued)
    peppers: Peppers = settings.API_KEY_PEPPERS
    settings.API_KEY_PEPPERS = read_peppers(f"2:{'b' * 32},1:{peppers.values[1].decode()}")
    held, returned = threading.Event(), threading.Event()
    outcome: list[bool] = []

    def hold() -> None:
        try:
            with transaction.atomic(), allowed():
                list(model.objects.select_for_update())
                model.objects.update(id=model.objects.get().pk)
                held.set()
                outcome.append(returned.wait(timeout=10))
        finally:
            connections.close_all()

    writer = threading.Thread(target=hold)
    writer.start()
    assert held.wait(timeout=10)
    note_use(found, issued.secret, ORIGIN)
    returned.set()
    writer.join()

    assert outcome == [True]
    assert _use(issued) is not None
    assert ApiKeySecret.objects.get().pepper == 2


@on_sqlite
@pytest.mark.usefixtures("committed")
def test_other_writes_wait_as_long_as_before(make_key: Callable[..., Issued]) -> None:
    def patience() -> int:
        with connection.cursor() as cursor:
            return int(cursor.execute("PRAGMA busy_timeout").fetchone()[0])

    issued, before = make_key(), patience()

    _use(issued)

    assert patience() == before > 0


def test_a_refusal_of_the_database_is_logged_without_the_secret(issued: Issued) -> None:
    full = Trigger(
        name="no_use_can_be_noted", table="apikeys_apikey", events=("UPDATE",), condition="TRUE"
    )
    triggers.install(connection, [full])

    with structlog.testing.capture_logs() as logs:
        noted = _use(issued)

    assert noted is None
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("last_use_not_recorded", "warning")
    assert line["key_id"] == issued.key.public_id
    assert "no_use_can_be_noted" in line["reason"]
    assert issued.secret not in str(logs)


@on_postgresql
def test_the_failing_row_is_not_logged(settings: Any, issued: Issued) -> None:
    """PostgreSQL shows the whole row, digest included, after the first line of its error."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "ALTER TABLE apikeys_apikeysecret ADD CONSTRAINT one_pepper CHECK (pepper = 1)"
        )
    peppers: Peppers = settings.API_KEY_PEPPERS
    settings.API_KEY_PEPPERS = read_peppers(f"2:{'b' * 32},1:{peppers.values[1].decode()}")

    with structlog.testing.capture_logs() as logs:
        _use(issued)

    (line,) = logs
    assert "one_pepper" in line["reason"]
    assert settings.API_KEY_PEPPERS.digest(issued.secret, 2).hex() not in str(logs)
    assert "Failing row" not in str(logs)


@pytest.mark.usefixtures("committed")
def test_a_connection_that_is_gone_fails_no_request(make_key: Callable[..., Issued]) -> None:
    issued = make_key()
    found = _found(issued)
    connection.connection.close()

    with structlog.testing.capture_logs() as logs:
        note_use(found, issued.secret, ORIGIN)

    connection.close()
    assert [line["event"] for line in logs] == ["last_use_not_recorded"]
    assert _use(issued) is not None


def test_during_a_rotation_each_secret_is_noted_for_itself(
    issued: Issued, clock: time_machine.Traveller, as_admin: Actor
) -> None:
    _use(issued)
    new = rotate_api_key(issued.key, actor=as_admin)
    clock.shift(MINUTE / 2)
    _use(new)
    clock.shift(MINUTE)
    _use(issued)

    noted = dict(ApiKeySecret.objects.values_list("prefix", "last_used_at"))
    assert noted[issued.secret[: len(new.key.key_prefix)]] == NOW + MINUTE * 1.5
    assert noted[new.key.key_prefix] == NOW + MINUTE / 2
