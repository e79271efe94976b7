"""How long requests and commands wait for an unresponsive database."""

from collections.abc import Iterator

import pytest

from config.postgresql import wait_budget
from tests.support.domain import at_once


@pytest.fixture(autouse=True)
def _as_at_the_start() -> Iterator[None]:
    yield
    wait_budget.forget()


def test_a_command_waits_forever() -> None:
    assert wait_budget.left() is None


def test_a_request_has_one_budget_for_all_its_waits() -> None:
    with wait_budget.Budget(2.5):
        wait_budget.note_wait(2, answered=True)
        assert wait_budget.left() == 0.5
        wait_budget.note_wait(2, answered=True)
        assert wait_budget.left() == 0

    assert wait_budget.left() is None


def test_whatever_is_no_request_has_each_wait_anew() -> None:
    wait_budget.limit_each_wait(2.5)
    wait_budget.note_wait(2, answered=True)
    assert wait_budget.left() == 2.5

    with wait_budget.Budget(1):
        assert wait_budget.left() == 1


@pytest.mark.parametrize("seconds", [0, 0.0])
def test_nothing_is_no_limit(seconds: float) -> None:
    wait_budget.limit_each_wait(seconds)
    assert wait_budget.left() is None
    with wait_budget.Budget(seconds):
        assert wait_budget.left() is None


def _find_silent() -> None:
    wait_budget.begin_second_opinion()
    assert wait_budget.end_second_opinion()


def test_while_the_database_is_silent_requests_wait_briefly_and_do_not_connect() -> None:
    _find_silent()

    with wait_budget.Budget(2):
        assert wait_budget.left() == wait_budget.BRIEFLY
        assert not wait_budget.may_connect()
    assert wait_budget.may_connect()


def test_a_wait_that_has_begun_is_cut_short_when_the_database_is_found_silent() -> None:
    with wait_budget.Budget(2):
        assert wait_budget.left() == 2
        _find_silent()
        assert wait_budget.left() == wait_budget.BRIEFLY


def test_one_wait_without_an_answer_is_not_silence() -> None:
    wait_budget.note_wait(2, answered=False)

    assert not wait_budget.is_silent()
    with wait_budget.Budget(2):
        assert wait_budget.left() == 2
        assert wait_budget.may_connect()


def test_an_answer_to_any_thread_outweighs_the_second_opinion() -> None:
    wait_budget.begin_second_opinion()
    at_once([lambda: wait_budget.note_wait(0.01, answered=True)])
    wait_budget.note_wait(2, answered=False)

    assert not wait_budget.end_second_opinion()


def test_any_answer_restores_everybodys_patience() -> None:
    _find_silent()
    assert wait_budget.is_silent()

    with wait_budget.Budget(2):
        wait_budget.note_wait(0.01, answered=True)

    assert not wait_budget.is_silent()
    with wait_budget.Budget(2):
        assert wait_budget.left() == 2
        assert wait_budget.may_connect()


def test_a_spent_budget_buys_no_connection() -> None:
    with wait_budget.Budget(2):
        wait_budget.note_wait(2, answered=True)
        assert not wait_budget.may_connect()


def test_threads_have_budgets_of_their_own() -> None:
    with wait_budget.Budget(2):
        wait_budget.note_wait(1, answered=True)
        assert at_once([_left_of_a_new_request]) == [2]
        assert wait_budget.left() == 1


def _left_of_a_new_request() -> float | None:
    with wait_budget.Budget(2):
        return wait_budget.left()
