"""A follower receives every change notification, also one that arrives with a query's result."""

import time

import pytest
from django.db import connection, connections

from core.revocation_clock import store
from core.revocation_clock.follower import Follower
from core.revocation_clock.triggers import CHANNEL
from tests.support.domain import at_once

pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL notifies"),
]
#: A wait that hears of nothing lasts so long.
_SECONDS = 20.0


class _NoCache:
    def drop(self, changes: object) -> None:
        """Has nothing to forget."""

    def forget(self) -> None:
        """Has nothing to forget."""


def _notify() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


@pytest.fixture
def follower() -> Follower:
    """One that listens on the connection of the test."""
    follower = Follower(_NoCache())
    follower._listen()
    return follower


def _waits(follower: Follower) -> bool:
    """Whether its wait lasts to the end."""
    began = time.monotonic()
    follower._wait(_SECONDS)
    return time.monotonic() - began >= _SECONDS


def test_one_that_comes_during_a_wait_ends_it(follower: Follower) -> None:
    at_once([_notify])

    assert not _waits(follower)


def test_one_that_comes_with_the_result_of_a_query_ends_the_wait_after_it(
    follower: Follower,
) -> None:
    at_once([_notify])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.1)")
    store.current()

    assert not _waits(follower)
