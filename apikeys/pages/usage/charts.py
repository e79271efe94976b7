"""Bar charts as SVG rectangles. Bars are 10 wide, at most 100 high, and stacked by result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apikeys.usage.reports import Tally

_WIDTH: Final = 10
_HEIGHT: Final = 100
#: Minimum height: one request among thousands must be visible.
_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One rectangle. `kind` is its CSS class."""

    kind: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """All rectangles, and their total width."""

    parts: list[Part]
    width: int


def chart(tallies: Sequence[Tally]) -> Chart:
    """One bar per tally. The highest one has the full height."""
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
