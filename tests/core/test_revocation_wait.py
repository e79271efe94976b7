"""Revocations return only after every process has learned of them.

Lower bounds of times are exact: a wait that is too short is a bug.
"""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from core import ids, revocation_wait
from core.exceptions import Conflict
from core.revocation_clock import store
from core.revocation_wait import require_wait, wait_for_earlier
from core.transactions import operation
from organizations.models import Clock, Follower
from tests.support.following import LEASE, eventually, silent

pytestmark = pytest.mark.usefixtures("committed")


@operation()
def _withdraw() -> None:
    require_wait()
    _tick()


@operation()
def _refuse() -> None:
    wait_for_earlier(ids.new_id())
    raise Conflict("It was withdrawn before.")


@operation()
def _change() -> None:
    _tick()


def _tick() -> None:
    """As the triggers count a change."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE organizations_clock SET number = number + 1")


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _in_a_transaction(act: Callable[[], object]) -> Callable[[], object]:
    def within() -> None:
        with transaction.atomic():
            act()

    return within


def _refused(act: Callable[[], object]) -> Callable[[], object]:
    def within() -> None:
        with pytest.raises(Conflict):
            act()

    return within


def _many_together() -> None:
    with revocation_wait.wait_once():
        for _ in range(5):
            _withdraw()


def _many_in_a_transaction() -> None:
    with transaction.atomic():
        for _ in range(5):
            _withdraw()


WAITING: dict[str, Callable[[], object]] = {
    "an operation": _withdraw,
    "within another transaction": _in_a_transaction(_withdraw),
    "within two": _in_a_transaction(_in_a_transaction(_withdraw)),
    "several together": _many_together,
    "several in a transaction": _many_in_a_transaction,
    "a refusal": _refused(_refuse),
    "a refusal within another transaction": _refused(_in_a_transaction(_refuse)),
}


@pytest.mark.parametrize("act", WAITING.values(), ids=WAITING)
def test_it_waits_for_a_process_that_says_nothing(act: Callable[[], object]) -> None:
    """By that process's own lease: this one's setting is 0 (AB121)."""
    silent(number=-1)

    assert _seconds(act) >= LEASE


def test_several_withdrawals_of_one_transaction_wait_once() -> None:
    silent(number=-1)

    one = _seconds(_withdraw)

    assert _seconds(_many_in_a_transaction) < 3 * one
    assert _seconds(_many_together) < 3 * one


def test_it_returns_when_the_others_have_applied_it() -> None:
    """The lease is longer than any test lasts."""
    slow = silent(lease=600)
    done = threading.Event()

    def work() -> None:
        try:
            _withdraw()
            done.set()
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    eventually(lambda: Clock.objects.get().number > slow.number)
    time.sleep(0.1)
    before = done.is_set()
    store.beat(slow.pk, Clock.objects.get().number)
    worker.join(30)

    assert (before, done.is_set()) == (False, True)


def test_it_waits_for_no_process_that_leaves() -> None:
    slow = silent(lease=600)

    def leave() -> None:
        time.sleep(0.2)
        store.leave(slow.pk)
        connections.close_all()

    leaver = threading.Thread(target=leave)
    leaver.start()
    _withdraw()
    leaver.join()

    assert not Follower.objects.exists()


def test_the_longest_lease_of_those_behind_counts() -> None:
    silent(lease=LEASE / 5)
    silent(lease=LEASE)

    assert _seconds(_withdraw) >= LEASE


@pytest.fixture
def patient() -> None:
    """Another process that would hold every withdrawal up for ten minutes."""
    silent(lease=600, number=-1)


NOT_WAITING: dict[str, Callable[[], object]] = {
    "a change that takes nothing away": _change,
    "the same within a transaction": _in_a_transaction(_change),
}


@pytest.mark.parametrize("act", NOT_WAITING.values(), ids=NOT_WAITING)
def test_what_takes_nothing_away_waits_for_nothing(
    act: Callable[[], object], patient: None
) -> None:
    act()


def test_a_withdrawal_that_was_rolled_back_leaves_no_wait(patient: None) -> None:
    @operation()
    def fail() -> None:
        require_wait()
        raise LookupError

    with pytest.raises(LookupError):
        fail()
    with transaction.atomic():
        with pytest.raises(LookupError):
            fail()
        _change()
    _change()
