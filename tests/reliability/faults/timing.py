"""How well response times distinguish two classes of requests."""

import random
import statistics
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Samples = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Gap:
    """A class beside another one.

    `auc` is the chance that a sample of the class took longer than one of the other: 0.5 where
    the times tell nothing. `milliseconds` lie between the two medians.
    """

    auc: float
    milliseconds: float


def interleaved(
    classes: Mapping[str, Callable[[], object]], rounds: int, chance: random.Random
) -> dict[str, list[float]]:
    """Seconds of each call; every round calls each class once, in an order of its own.

    So a slow moment of the machine, or the order, is everybody's. The first tenth is thrown away.
    """
    samples: dict[str, list[float]] = {name: [] for name in classes}
    order = list(classes)
    warm_up = rounds // 10
    for number in range(warm_up + rounds):
        chance.shuffle(order)
        for name in order:
            begun = time.perf_counter()
            classes[name]()
            if number >= warm_up:
                samples[name].append(time.perf_counter() - begun)
    return samples


def gap(samples: Sequence[float], others: Sequence[float]) -> Gap:
    """How a class lies beside another one; equal times count half."""
    ranked = sorted(others)
    below = sum(bisect_left(ranked, one) + bisect_right(ranked, one) for one in samples)
    apart = statistics.median(samples) - statistics.median(others)
    return Gap(below / 2 / len(samples) / len(others), apart * 1000)
