"""Bar charts as SVG: sparklines, and charts with axes. Bars are stacked by outcome.

Charts with axes are as wide as the page: x is in percent. They have a fixed height: y is in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from apikeys.usage.reports import ALL, Bucket, Interval, Tally
from core.timestamps import stamp

#: Of a sparkline: the width of a bar and the height of the highest one.
_WIDTH: Final = 10
_HEIGHT: Final = 100
#: Minimum height: one request among thousands must be visible.
_LEAST: Final = 2
#: Of a chart with axes: the height of the bars, of the dates below them, and the space above.
_PLOT: Final = 164
_DATES: Final = 24
_ABOVE: Final = 8
_GAP: Final = 1
#: The part of its interval that a bar takes.
_BAR: Final = 0.64
#: The most intervals between the lines of the y axis.
_LINES: Final = 4
#: Number of bars → bars from one date to the next.
_DATE_EVERY: Final = {24: 3, 7: 1, 30: 4, 90: 14}


@dataclass(frozen=True, slots=True)
class Part:
    """One rectangle of a sparkline. `kind` is its CSS class."""

    kind: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """All rectangles of a sparkline, and their total width."""

    parts: list[Part]
    width: int


def chart(tallies: Sequence[Tally]) -> Chart:
    """A sparkline: one bar per tally. The highest one has the full height."""
    heights = [tally.requests for tally in tallies]
    most = max(heights, default=0)
    filled = [n for n, height in enumerate(heights) if height]
    parts = [part for n in filled for part in _spark(n, tallies[n], most)]
    return Chart(parts, _WIDTH * len(tallies))


def _spark(place: int, tally: Tally, most: int) -> list[Part]:
    parts, top = [], float(_HEIGHT)
    for kind, requests in _kinds(tally):
        height = max(_LEAST, round(requests / most * _HEIGHT, 1))
        top = max(0.0, round(top - height, 1))
        parts.append(Part(kind, place * _WIDTH + 1, top, height))
    return parts


def _kinds(tally: Tally) -> list[tuple[str, int]]:
    """CSS class and number of each outcome that occurred, from the bottom of the bar."""
    kinds = (("ok", tally.ok), ("failed", tally.failed), ("refused", tally.refused))
    return [(kind, requests) for kind, requests in kinds if requests]


@dataclass(frozen=True, slots=True)
class Segment:
    """One rectangle of a bar. `kind` is its CSS class."""

    kind: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval: its place, its name, its numbers and its rectangles."""

    slot_x: str
    x: str
    label: str
    tally: Tally
    segments: list[Segment]


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the chart with its number."""

    y: int
    label: str

    @property
    def text_y(self) -> int:
        """The baseline of the number, which centers it on the line."""
        return self.y + 4


@dataclass(frozen=True, slots=True)
class Date:
    """A date below the bars. Narrow screens leave out the minor ones."""

    x: str
    label: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class BarChart:
    bars: list[Bar]
    #: From 0 upward.
    lines: list[Line]
    dates: list[Date]
    slot_width: str
    bar_width: str
    #: Requests of the highest bar.
    peak: int
    bottom: int = _ABOVE + _PLOT
    height: int = _ABOVE + _PLOT + _DATES
    date_y: int = _ABOVE + _PLOT + 20


def bar_chart(
    buckets: Sequence[Bucket], interval: Interval, results: frozenset[str] = ALL
) -> BarChart:
    """A chart with axes: one bar per bucket, as high as its requests with one of `results`."""
    drawn = [bucket.tally.only(results) for bucket in buckets]
    peak = max(tally.requests for tally in drawn)
    step = _step(peak)
    lines = max(1, -(-peak // step))
    slot = 100 / len(buckets)
    every = _DATE_EVERY.get(len(buckets), 1)
    return BarChart(
        bars=[
            Bar(
                slot_x=_percent(place * slot),
                x=_percent((place + (1 - _BAR) / 2) * slot),
                label=bar_label(bucket.start, interval),
                tally=bucket.tally,
                segments=_segments(drawn[place], lines * step),
            )
            for place, bucket in enumerate(buckets)
        ],
        lines=[
            Line(_ABOVE + _PLOT - round(n * _PLOT / lines), short_number(n * step))
            for n in range(lines + 1)
        ],
        dates=[
            Date(
                x=_percent((place + 0.5) * slot),
                label=_date(buckets[place].start, interval),
                is_minor=place // every % 2 == 1,
            )
            for place in range(0, len(buckets), every)
        ],
        slot_width=_percent(slot),
        bar_width=_percent(_BAR * slot),
        peak=peak,
    )


def _segments(tally: Tally, highest: int) -> list[Segment]:
    """Rectangles with a gap between them, together as high as the total of `tally`.

    The largest one makes room for the gaps and for very small ones.
    """
    kinds = _kinds(tally)
    top = max(_LEAST, len(kinds), round(tally.requests / highest * _PLOT))
    gap, heights = _GAP, _heights(kinds, highest, top - _GAP * (len(kinds) - 1), _LEAST)
    if min(heights, default=_LEAST) < _LEAST:
        gap, heights = 0, _heights(kinds, highest, top, 1)
    segments, y = [], _ABOVE + _PLOT
    for (kind, _), height in zip(kinds, heights, strict=True):
        segments.append(Segment(kind, y - height, height))
        y -= height + gap
    return segments


def _heights(kinds: Sequence[tuple[str, int]], highest: int, room: int, least: int) -> list[int]:
    """The heights of all kinds, `room` in sum. The largest kind takes what the others leave."""
    heights = [max(least, int(requests / highest * _PLOT)) for _, requests in kinds]
    if heights:
        largest = max(range(len(kinds)), key=lambda place: kinds[place][1])
        heights[largest] += room - sum(heights)
    return heights


def _step(highest: int) -> int:
    """The round number between two lines: 1, 2, 5, 10, 20, 25, 50, 100 and so on."""
    power = 1
    while True:
        for tenths in (10, 20, 25, 50):
            step, rest = divmod(tenths * power, 10)
            if not rest and highest <= _LINES * step:
                return step
        power *= 10


def short_number(number: int) -> str:
    """A round number in few characters: ``2.5k``."""
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return str(number)


def _percent(value: float) -> str:
    return f"{value:.3f}%"


def bar_label(start: datetime, interval: Interval) -> str:
    """The name of an interval: its day, or its hour."""
    if interval is Interval.HOUR:
        return stamp(start)
    utc = start.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y}"


def _date(start: datetime, interval: Interval) -> str:
    utc = start.astimezone(UTC)
    return f"{utc:%H:%M}" if interval is Interval.HOUR else f"{utc.day} {utc:%b}"
