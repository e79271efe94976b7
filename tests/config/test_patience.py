"""How long is waited for a database, and by whom, while it is silent."""

from collections.abc import Iterator

import pytest

from config import patience
from tests.domain import at_once


@pytest.fixture(autouse=True)
def _as_at_the_start() -> Iterator[None]:
    yield
    patience.forget()


def test_a_command_waits_forever() -> None:
    assert patience.left() is None


def test_a_request_has_one_budget_for_all_its_waits() -> None:
    with patience.Budget(2.5):
        patience.note_wait(2, answered=True)
        assert patience.left() == 0.5
        patience.note_wait(2, answered=True)
        assert patience.left() == 0

    assert patience.left() is None


def test_whatever_is_no_request_has_each_wait_anew() -> None:
    patience.limit_each_wait(2.5)
    patience.note_wait(2, answered=True)
    assert patience.left() == 2.5

    with patience.Budget(1):
        assert patience.left() == 1


@pytest.mark.parametrize("seconds", [0, 0.0])
def test_nothing_is_no_limit(seconds: float) -> None:
    patience.limit_each_wait(seconds)
    assert patience.left() is None
    with patience.Budget(seconds):
        assert patience.left() is None


def _find_silent() -> None:
    patience.begin_second_opinion()
    assert patience.end_second_opinion()


def test_while_the_database_is_silent_requests_wait_briefly_and_do_not_connect() -> None:
    _find_silent()

    with patience.Budget(2):
        assert patience.left() == patience.BRIEFLY
        assert not patience.may_connect()
    assert patience.may_connect()


def test_a_wait_that_has_begun_is_cut_short_when_the_database_is_found_silent() -> None:
    with patience.Budget(2):
        assert patience.left() == 2
        _find_silent()
        assert patience.left() == patience.BRIEFLY


def test_one_wait_without_an_answer_is_not_silence() -> None:
    patience.note_wait(2, answered=False)

    assert not patience.is_silent()
    with patience.Budget(2):
        assert patience.left() == 2
        assert patience.may_connect()


def test_an_answer_to_any_thread_outweighs_the_second_opinion() -> None:
    patience.begin_second_opinion()
    at_once([lambda: patience.note_wait(0.01, answered=True)])
    patience.note_wait(2, answered=False)

    assert not patience.end_second_opinion()


def test_any_answer_restores_everybodys_patience() -> None:
    _find_silent()
    assert patience.is_silent()

    with patience.Budget(2):
        patience.note_wait(0.01, answered=True)

    assert not patience.is_silent()
    with patience.Budget(2):
        assert patience.left() == 2
        assert patience.may_connect()


def test_a_spent_budget_buys_no_connection() -> None:
    with patience.Budget(2):
        patience.note_wait(2, answered=True)
        assert not patience.may_connect()


def test_threads_have_budgets_of_their_own() -> None:
    with patience.Budget(2):
        patience.note_wait(1, answered=True)
        assert at_once([_left_of_a_new_request]) == [2]
        assert patience.left() == 1


def _left_of_a_new_request() -> float | None:
    with patience.Budget(2):
        return patience.left()
