"""Bars as rectangles of an SVG, 10 units wide and 100 high, stacked by how requests ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apikeys.usage.reports import Tally

_WIDTH: Final = 10
_HEIGHT: Final = 100
#: A bar of one request among thousands is seen, too.
_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One rectangle; `kind` is its class."""

    kind: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """All rectangles, and how wide they are together."""

    parts: list[Part]
    width: int


def chart(tallies: Sequence[Tally]) -> Chart:
    """A bar for each tally; the highest fills the height."""
    heights = [tally.requests for tally in tallies]
    most = max(heights, default=0)
    filled = [n for n, height in enumerate(heights) if height]
    parts = [part for n in filled for part in _bar(n, tallies[n], most)]
    return Chart(parts, _WIDTH * len(tallies))


def _bar(place: int, tally: Tally, most: int) -> list[Part]:
    parts, top = [], float(_HEIGHT)
    for kind, count in (("ok", tally.ok), ("failed", tally.failed), ("refused", tally.refused)):
        if count:
            height = max(_LEAST, round(count / most * _HEIGHT, 1))
            top = max(0.0, round(top - height, 1))
            parts.append(Part(kind, place * _WIDTH + 1, top, height))
    return parts
