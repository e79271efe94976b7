"""Compares the cost of two inputs of the same size. Only ratios within one run are meaningful."""

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, Final

#: How many times the cost of a harmless input a hostile one may have.
RATIO: Final = 20
_TRIES: Final = 3
#: Less than that, in seconds, is nothing, however small what it is compared with.
_NOTHING: Final = 1e-4
_numbers: Final = count()


def too_costly(
    act: Callable[[Any], object], hostile: Mapping[str, Any], harmless: Iterable[Any]
) -> dict[str, float]:
    """The hostile inputs that cost more than `RATIO` times a harmless one, with their ratios.

    A busy machine only adds to a cost, so that the least of several runs counts; an input that
    was cheap once is not tried again.
    """
    plain = max(_least(act, one) for one in harmless)
    allowed = RATIO * max(plain, _NOTHING)
    costs = {name: _least(act, one, enough=allowed) for name, one in hostile.items()}
    return {
        name: round(RATIO * cost / allowed, 1) for name, cost in costs.items() if cost > allowed
    }


def _least(act: Callable[[Any], object], one: Any, enough: float = 0) -> float:
    """What an input takes of the processor, which other processes do not add to, at the least."""
    least = float("inf")
    for _ in range(_TRIES):
        fresh = _fresh(one)
        started = time.thread_time()
        act(fresh)
        least = min(least, time.thread_time() - started)
        if least <= enough:
            break
    return least


def _fresh(one: Any) -> Any:
    """A text that no cache knows: with another character where it makes no other difference."""
    if not isinstance(one, str):
        return one
    another = chr(ord("a") + next(_numbers) % 26)
    return f"{another}{one[1:]}" if one[-1].isspace() else f"{one[:-1]}{another}"
