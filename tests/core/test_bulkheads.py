"""Limits on how many threads of a worker may wait, in total and per caller."""

import gc
import threading
from collections.abc import Iterator
from typing import get_args
from uuid import UUID, uuid4

import pytest

from core import bulkheads
from core.bulkheads import Kind, Place, hold
from core.exceptions import Busy, DomainError

KINDS: tuple[Kind, ...] = get_args(Kind)
OTHERS = [kind for kind in KINDS if kind != "waiting"]
ACME, GLOBEX = uuid4(), uuid4()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    gc.collect()
    assert bulkheads.taken() == 0
    bulkheads.limit(0)


def fill(kind: Kind, organizations: list[UUID | None]) -> list[Place]:
    """A place for each organization, as far as there are any."""
    taken = []
    for organization in organizations:
        try:
            taken.append(Place(kind, organization))
        except Busy:
            continue
    return taken


def count(kind: Kind, organizations: list[UUID | None]) -> int:
    """For how many of the organizations there was a place."""
    return len(fill(kind, organizations))


@pytest.mark.parametrize(
    ("threads", "places"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (8, 4), (64, 32)]
)
def test_at_most_half_of_the_threads_wait_and_one_always_may(threads: int, places: int) -> None:
    bulkheads.limit(threads)

    assert count("waiting", [uuid4() for _ in range(100)]) == places


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (4, 1), (6, 2), (8, 2), (64, 2)])
def test_one_organization_has_two_places_and_never_the_last(threads: int, places: int) -> None:
    bulkheads.limit(threads)

    assert count("waiting", [ACME] * 100) == places
    assert count("export", [None] * 100) == places, "staff count as one"


@pytest.mark.parametrize("kind", OTHERS)
def test_the_last_place_is_for_withdrawals(kind: Kind) -> None:
    bulkheads.limit(8)

    taken = fill(kind, [uuid4() for _ in range(100)])

    assert len(taken) == 3
    assert count("waiting", [uuid4() for _ in range(100)]) == 1


@pytest.mark.parametrize("threads", [2, 4, 8, 64])
@pytest.mark.parametrize("kind", OTHERS)
def test_its_other_work_does_not_stop_an_organization_s_withdrawals(
    kind: Kind, threads: int
) -> None:
    bulkheads.limit(threads)
    taken = fill(kind, [ACME] * 100)

    assert bulkheads.refusal_of("waiting", ACME) is None
    with hold("waiting", ACME):
        assert bulkheads.taken() == len(taken) + 1
        assert bulkheads.refusal_of("waiting", ACME), "one at a time"


@pytest.mark.parametrize("threads", [2, 4, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_what_would_be_told_is_what_is_told(kind: Kind, threads: int) -> None:
    """After places were given back, too, while others hold theirs."""
    bulkheads.limit(threads)
    others = fill("export", [GLOBEX])
    for _ in range(5):
        for place in fill(kind, [ACME] * 3):
            place.release()
        told = bulkheads.refusal_of(kind, ACME)
        given = fill(kind, [ACME])

        assert bool(told) == (not given)

        for place in given:
            place.release()
    assert len(others) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_share_the_places(kind: Kind) -> None:
    bulkheads.limit(4)
    taken = fill("waiting", [uuid4(), uuid4()])

    with pytest.raises(Busy), hold(kind, ACME):
        pytest.fail("it was let in")

    assert len(taken) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_says_when_to_try_again(kind: Kind) -> None:
    bulkheads.limit(2)
    place = Place("waiting", GLOBEX)

    with pytest.raises(Busy) as refusal:
        Place(kind, ACME)
    place.release()

    assert isinstance(refusal.value, DomainError)
    assert refusal.value.code == "too_many_concurrent"
    assert refusal.value.retry_after >= 1
    assert f"Try again in {refusal.value.retry_after} second" in refusal.value.message


def test_an_operation_inside_another_shares_its_place() -> None:
    bulkheads.limit(1)

    with hold("waiting", ACME):
        with hold("waiting", ACME), hold("search", GLOBEX):
            assert bulkheads.taken() == 1
        assert bulkheads.taken() == 1

    assert bulkheads.taken() == 0


def test_another_thread_does_not_share_it() -> None:
    bulkheads.limit(1)
    refusals: list[Busy] = []

    def ask() -> None:
        try:
            with hold("waiting", GLOBEX):
                pass
        except Busy as refusal:
            refusals.append(refusal)

    with hold("waiting", ACME):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    assert len(refusals) == 1


def test_an_error_gives_the_place_back() -> None:
    bulkheads.limit(1)

    with pytest.raises(ZeroDivisionError), hold("waiting", ACME):
        raise ZeroDivisionError

    with hold("waiting", GLOBEX):
        assert bulkheads.taken() == 1


def test_a_refused_operation_may_be_tried_again_in_the_same_thread() -> None:
    bulkheads.limit(2)
    place = Place("waiting", GLOBEX)
    with pytest.raises(Busy), hold("waiting", ACME):
        pytest.fail("it was let in")
    place.release()

    with hold("waiting", ACME):
        assert bulkheads.taken() == 1


def test_a_place_is_given_back_once() -> None:
    bulkheads.limit(8)
    first, second = Place("export", ACME), Place("export", GLOBEX)

    first.release()
    first.release()

    assert bulkheads.taken() == 1
    second.release()


def test_a_place_that_was_forgotten_is_found() -> None:
    bulkheads.limit(2)
    forgotten = [Place("export", ACME)]
    with pytest.raises(Busy):
        Place("search", GLOBEX)

    forgotten.clear()
    gc.collect()

    Place("search", GLOBEX).release()


def test_without_a_server_nothing_is_limited() -> None:
    assert count("waiting", [ACME] * 100) == 100
    with hold("search", ACME):
        assert bulkheads.taken() == 0


def test_places_are_neither_lost_nor_invented_by_many_threads() -> None:
    bulkheads.limit(8)
    most: list[int] = []
    barrier = threading.Barrier(16)

    def work(number: int) -> None:
        organization = uuid4()
        barrier.wait()
        for _ in range(300):
            try:
                with hold(KINDS[number % len(KINDS)], organization):
                    most.append(bulkheads.taken())
            except Busy:
                continue

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(most) >= 300
    assert max(most) <= 4
