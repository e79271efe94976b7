"""Many guesses from one IP address on a real server, and a new valid key from the same address."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from apikeys import tokens
from apikeys.services import Issued
from tests.reliability.live.conftest import at_once, running
from tests.support.api import CURRENT

MOST = 20
WORKERS = 2
THREADS = 4
#: As many in each thread as a worker takes before it refuses to look; four times as many in all.
EACH = 4 * MOST * WORKERS // THREADS


@pytest.mark.usefixtures("committed")
def test_a_new_key_gets_in_where_others_guess(
    tmp_path: Path, make_key: Callable[..., Issued]
) -> None:
    """Each refusal says when to come again, and each worker refuses it once at most."""
    limit = {"INVALID_KEYS_PER_MINUTE": str(MOST)}
    with running(tmp_path / "server.log", (WORKERS, THREADS), **limit) as server:

        def guess(number: int) -> list[int]:
            made_up = (tokens.generate("sig", tokens.Environment.LIVE) for _ in range(EACH))
            return [server.call("GET", CURRENT, key=key).status_code for key in made_up]

        guesses = list(chain.from_iterable(at_once(THREADS, guess)))
        newcomer = make_key(name="Newcomer")
        statuses: list[int] = []
        while len(statuses) <= WORKERS and 200 not in statuses:
            answer = server.call("GET", CURRENT, key=newcomer)
            statuses.append(answer.status_code)
            assert answer.headers.get("Retry-After") in (None, "1")
            guesses += guess(0)

    assert statuses[-1] == 200
    assert guesses.count(401) <= WORKERS * (MOST + 2 * MOST // 5) + THREADS
    assert set(guesses) == {401, 429}
