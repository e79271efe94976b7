"""Performance goals, and whether the results of a run meet them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Results = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reached:
    """The result of a goal. `met` is None if the run did not measure it."""

    what: str
    goal: str
    value: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit, `most` or `least`, for a value of the results. `value` raises KeyError without one.

    Goals for rounds must be met in each run of the rounds (databases, numbers of keys).
    """

    what: str
    value: Callable[[Results], float]
    most: float | None = None
    least: float | None = None
    unit: str = ""

    @property
    def text(self) -> str:
        """The goal as text, such as `≤ 1.2 ×`."""
        sign, bound = ("≤", self.most) if self.most is not None else ("≥", self.least)
        return f"{sign} {bound:g}{self.unit}"

    def judge(self, results: Results) -> Reached:
        """Compares the value with the goal."""
        try:
            value: float | None = self.value(results)
        except (KeyError, TypeError):
            value = None
        if value is None:
            return Reached(self.what, self.text, "not measured", None)
        met = value <= self.most if self.most is not None else value >= (self.least or 0)
        return Reached(self.what, self.text, f"{value:.3g}{self.unit}", met)


def _ratio(figure: str, name: str, base: str) -> Callable[[Results], float]:
    """The ratio of a figure of `name` to that of `base`, in the rounds of one database."""

    def value(rounds: Results) -> float:
        figures = rounds["figures"]
        ratio: float = figures[name][figure] / figures[base][figure]
        return ratio

    return value


#: Goals for the rounds of each database and each number of keys.
OF_ROUNDS: Final = (
    Goal(
        "hot in a DRF view: CPU ÷ bare DRF view",
        _ratio("cpu", "drf-hot", "drf"),
        most=1.2,
        unit=" ×",
    ),
    Goal(
        "hot in a DRF view: req/s ÷ bare DRF view",
        _ratio("rate", "drf-hot", "drf"),
        least=0.85,
        unit=" ×",
    ),
    Goal(
        "cold in a DRF view: CPU ÷ bare DRF view",
        _ratio("cpu", "drf-cold", "drf"),
        most=1.9,
        unit=" ×",
    ),
    Goal(
        "cold in a DRF view: req/s ÷ bare DRF view",
        _ratio("rate", "drf-cold", "drf"),
        least=0.45,
        unit=" ×",
    ),
    Goal(
        "hot: req/s ÷ djangorestframework-api-key",
        _ratio("rate", "drf-hot", "drf-api-key"),
        least=2.8,
        unit=" ×",
    ),
    Goal(
        "cold: req/s ÷ djangorestframework-api-key",
        _ratio("rate", "drf-cold", "drf-api-key"),
        least=1.5,
        unit=" ×",
    ),
    Goal(
        "any of all keys: req/s ÷ djangorestframework-api-key",
        _ratio("rate", "drf-first", "drf-api-key"),
        least=1.5,
        unit=" ×",
    ),
    Goal(
        "hot in a plain view: req/s ÷ bare Django view",
        _ratio("rate", "plain-hot", "django"),
        least=0.75,
        unit=" ×",
    ),
    Goal(
        "added by API middleware: CPU of a bare Django view with it − without",
        lambda rounds: (
            rounds["figures"]["django"]["cpu"] - rounds["figures"]["django-alone"]["cpu"]
        ),
        most=20,
        unit=" µs",
    ),
)


def _growth(name: str) -> Callable[[Results], float]:
    """CPU time with the most keys divided by that with the fewest, on PostgreSQL."""

    def value(results: Results) -> float:
        runs = sorted(
            (run for run in results["rounds"] if run["database"] == "postgresql"),
            key=lambda run: run["keys"],
        )
        if len(runs) < 2:
            raise KeyError(name)
        first, last = (run["figures"][name]["cpu"] for run in (runs[0], runs[-1]))
        growth: float = last / first
        return growth

    return value


def _counts(name: str, what: str) -> Callable[[Results], float]:
    return lambda results: results["counts"]["postgresql"][name][what]


def _page(kind: str, other: str = "", size: str = "") -> Callable[[Results], float]:
    """Time of a page for the largest organization, divided by the smallest's or another kind's."""

    def value(results: Results) -> float:
        lists = results["lists"]["postgresql"]
        sizes = sorted(lists[kind], key=int)
        base = lists[other or kind][size or (sizes[-1] if other else sizes[0])]
        ratio: float = lists[kind][sizes[-1]]["ms"] / base["ms"]
        return ratio

    return value


def _bytes_per_key(results: Results) -> float:
    runs = {run["keys"]: run for run in results["rounds"] if run["database"] == "postgresql"}
    if max(runs, default=0) < 1_000_000:
        raise KeyError("a million keys")
    size: float = runs[max(runs)]["facts"]["bytes_per_key"]["ours"]
    return size


#: Goals for the whole run.
OF_RUN: Final = (
    Goal("most keys ÷ fewest, hot: CPU", _growth("drf-hot"), most=1.05, unit=" ×"),
    Goal("most keys ÷ fewest, cold: CPU", _growth("drf-cold"), most=1.15, unit=" ×"),
    Goal("queries per request, hot", _counts("drf-hot", "queries"), most=0),
    Goal("queries per request, cold", _counts("drf-cold", "queries"), most=1),
    Goal(
        "writes of a key's row in a minute of calls",
        _counts("drf-hot", "apikeys_apikey rows per key"),
        most=1,
    ),
    Goal(
        "writes of a secret's row in a minute of calls",
        _counts("drf-hot", "apikeys_apikeysecret rows per key"),
        most=1,
    ),
    Goal(
        "Redis round trips per request, far from the limit", _counts("drf-hot", "redis"), most=0.1
    ),
    Goal(
        "settings page, largest ÷ smallest organization",
        _page("settings page"),
        most=1.3,
        unit=" ×",
    ),
    Goal("REST list, largest ÷ smallest organization", _page("REST list"), most=1.3, unit=" ×"),
    Goal(
        "settings page ÷ keyset prototype, largest",
        _page("settings page", "keyset prototype"),
        most=4,
        unit=" ×",
    ),
    Goal(
        "REST list ÷ keyset prototype, largest",
        _page("REST list", "keyset prototype"),
        most=4,
        unit=" ×",
    ),
    Goal("bytes per key in PostgreSQL, a million keys or more", _bytes_per_key, most=560),
    Goal(
        "2 workers ÷ 1, hot in a DRF view: req/s",
        lambda r: r["scaling"]["drf-hot"]["ratio"],
        least=1.8,
        unit=" ×",
    ),
    Goal(
        "memory of a worker, last third of the load beside the second: growth",
        lambda r: r["memory"]["growth"],
        # 0.05 over half of the load, scaled to a third of it
        most=0.033,
    ),
    Goal(
        "p99 of honest calls among 500 bad keys a second, beside quiet",
        lambda r: r["abuse"]["attacked"]["p99_ms"] - r["abuse"]["quiet"]["p99_ms"],
        most=5,
        unit=" ms",
    ),
)


def judge(results: Results) -> list[tuple[str, list[Reached]]]:
    """All goals: those for the rounds of each database, then those for the whole run."""
    rounds = [
        (f"{run['database']}, {run['keys']:,} keys", [goal.judge(run) for goal in OF_ROUNDS])
        for run in results["rounds"]
    ]
    return [*rounds, ("the run", [goal.judge(results) for goal in OF_RUN])]
