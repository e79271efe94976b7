"""Stat tiles: a period's totals, and their change against the period before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from apikeys.usage.reports import Tally

#: Larger changes are not told apart.
_MOST_PERCENT: Final = 999


@dataclass(frozen=True, slots=True)
class Tile:
    """A total. `kind` is the CSS class of its swatch in the chart, if it has one."""

    label: str
    value: str
    kind: str = ""
    #: The size of the change. Empty if there is none.
    change: str = ""
    has_risen: bool = False
    #: Whether the change is good; None if it is neither good nor bad.
    is_good: bool | None = None

    @property
    def mood(self) -> str:
        """The CSS class of the change."""
        return {True: "ok", False: "bad", None: "strong"}[self.is_good]


def tiles(total: Tally, before: Tally | None = None) -> list[Tile]:
    """Requests, share of success, errors and rejected requests, compared with `before`."""
    return [
        _counted("Requests", "", lambda tally: tally.requests, total, before),
        _successful(total, before),
        _counted("Errors", "failed", lambda tally: tally.failed, total, before),
        _counted("Rejected", "refused", lambda tally: tally.refused, total, before),
    ]


def success_share(tally: Tally) -> float:
    """Successful requests in percent. Below 100 if one wasn't successful, 0 without requests."""
    if not tally.requests:
        return 0.0
    share = round(100 * tally.ok / tally.requests, 1)
    return share if tally.ok == tally.requests else min(share, 99.9)


def percent(share: float) -> str:
    return f"{share:.0f}%" if share in (0, 100) else f"{share:.1f}%"


def _successful(total: Tally, before: Tally | None) -> Tile:
    share = success_share(total)
    difference = round(share - success_share(before), 1) if before else 0.0
    return Tile(
        label="Successful",
        value=percent(share),
        kind="ok",
        change=f"{abs(difference):g} pts" if difference else "",
        has_risen=difference > 0,
        is_good=difference > 0,
    )


def _counted(
    label: str, kind: str, count: Callable[[Tally], int], total: Tally, before: Tally | None
) -> Tile:
    """Fewer are better, except for all requests, which are the ones without a `kind`."""
    number = count(total)
    old = count(before) if before else number
    return Tile(
        label=label,
        value=f"{number:,}",
        kind=kind,
        change=_change(number, old),
        has_risen=number > old,
        is_good=number < old if kind else None,
    )


def _change(number: int, before: int) -> str:
    """In percent, or the difference to zero."""
    if number == before:
        return ""
    if not before:
        return f"{number:,}"
    change = 100 * abs(number - before) / before
    if change > _MOST_PERCENT:
        return f"over {_MOST_PERCENT}%"
    return f"{change:.1f}%" if change >= 0.1 else "under 0.1%"
