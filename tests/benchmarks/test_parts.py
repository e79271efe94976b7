"""Parts of the benchmark that its results depend on."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from apikeys import tokens
from benchmarks import endurance, identities
from benchmarks.goals import Goal
from benchmarks.loader import BadAnswer, Callers, percentile, request

Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that gives everybody the same bytes, a few at a time, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(answers: bytes) -> None:
        connection, _ = listener.accept()
        # Each piece a packet of its own, whatever the machine has time for.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            connection.recv(4096)
            for start in range(0, len(answers), 7):
                connection.sendall(answers[start : start + 7])
                time.sleep(0.002)

    threads: list[threading.Thread] = []

    def start(answers: bytes) -> int:
        threads.append(threading.Thread(target=answer, args=[answers]))
        threads[-1].start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for thread in threads:
        thread.join(10)
    listener.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nabcdefghijkl",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_an_answer_in_pieces_is_one_answer(serve: Serve, answer: bytes) -> None:
    callers = Callers(serve(answer), 1)

    load = callers.call(lambda: request("/"), times=1)
    callers.close()

    assert load.requests == 1
    assert load.latencies[0] > 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off",
        b"",
    ],
)
def test_any_other_answer_ends_the_run(serve: Serve, answer: bytes) -> None:
    callers = Callers(serve(answer), 1)

    with pytest.raises(BadAnswer):
        callers.call(lambda: request("/"), times=1)
    callers.close()


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]

    assert percentile(values, 0.5) == 51
    assert percentile(values, 0.99) == 100
    assert percentile([3.0], 0.99) == 3


def test_secrets_follow_from_their_numbers() -> None:
    for make in (identities.our_secret, identities.peer_key, identities.knox_token):
        made = [make(number) for number in range(2000)]
        assert len(set(made)) == 2000
        assert made == [make(number) for number in range(2000)]


def test_secrets_are_well_formed() -> None:
    assert all(tokens.is_well_formed(identities.our_secret(n)) for n in range(200))
    assert all(tokens.is_well_formed(identities.unknown_secret(n)) for n in range(200))
    assert identities.our_secret(7) != identities.unknown_secret(7)


def test_prefixes_of_the_peer_are_unique_at_ten_million() -> None:
    far = [identities.peer_key(n).partition(".")[0] for n in (0, 1, 9_999_999, 10_000_000)]

    assert len(set(far)) == 4


def test_ids_sort_as_they_were_made() -> None:
    made = [identities.row_id(3, number) for number in range(1000)]

    assert made == sorted(made)
    assert {value.version for value in made} == {7}


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (Goal("a", lambda r: r["x"], most=1.2), 1.2, True),
        (Goal("a", lambda r: r["x"], most=1.2), 1.21, False),
        (Goal("a", lambda r: r["x"], least=2.8), 2.8, True),
        (Goal("a", lambda r: r["x"], least=2.8), 2.7, False),
    ],
)
def test_goals_are_judged_by_their_bound(goal: Goal, value: float, met: bool) -> None:
    assert goal.judge({"x": value}).met is met


@pytest.mark.parametrize(
    ("sizes", "growth"),
    [
        ([118, 165, 206, 225, 213, 225, 225, 218, 225], 0.0),
        ([100, 110, 120, 130, 140, 150, 160, 170, 180], 0.214),
        ([100, 110, 120, 130, 300, 150, 160, 170, 180], 0.133),
        ([100, 200], None),
    ],
)
def test_memory_that_comes_back_is_no_growth(sizes: list[int], growth: float | None) -> None:
    assert endurance.growth(sizes) == growth


def test_a_goal_without_numbers_is_neither_met_nor_missed() -> None:
    assert Goal("a", lambda r: r["x"], most=1).judge({}).met is None


def test_a_look_that_was_too_short_is_no_number() -> None:
    results = {"growth": endurance.growth([100, 200])}

    assert Goal("growth", lambda r: r["growth"], most=1).judge(results).met is None
