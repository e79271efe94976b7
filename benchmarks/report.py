"""Writes the results as Markdown for readers, and as JSON for comparing runs."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.contenders import BY_NAME
from benchmarks.goals import Reached, judge

RESULTS: Final = Path("benchmarks/results")
_PACKAGES: Final = (
    *("Django", "djangorestframework", "psycopg", "granian", "redis"),
    *("djangorestframework-api-key", "django-rest-knox"),
)
_VERDICTS: Final = {True: "met", False: "**missed**", None: "not measured"}


def surroundings() -> dict[str, Any]:
    """Date, hardware sizes and package versions. Contains nothing that identifies the machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / (1 << 30)),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def default_file() -> Path:
    """A new file, named after the current time."""
    return RESULTS / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}.json"


def save(results: Mapping[str, Any], file: Path) -> None:
    """Writes the results as JSON, and the tables next to them."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n")
    file.with_suffix(".md").write_text(markdown(results))


def markdown(results: Mapping[str, Any]) -> str:
    """All tables of a run. The goals come last."""
    return "\n".join([*_head(results), *_rounds(results), *_rest(results), *_goals(results)]) + "\n"


def _head(results: Mapping[str, Any]) -> Iterator[str]:
    on, plan = results["surroundings"], results["plan"]
    packages = ", ".join(f"{name} {number}" for name, number in on["packages"].items())
    machine = f"{on['cores']} cores, {on['memory_gib']} GiB"
    yield f"{on['at']}, {machine}, Python {on['python']}, {packages}."
    yield f"Medians of {plan['rounds']} interleaved rounds of {plan['seconds']:g} seconds."


def _rounds(results: Mapping[str, Any]) -> Iterator[str]:
    for run in results["rounds"]:
        figures = run["figures"]
        base = figures["drf"]
        facts = run["facts"]
        yield f"\n### {run['database']}, {run['keys']:,} keys\n"
        yield "| | req/s | ÷ bare DRF | CPU µs | ÷ bare DRF | p50 µs | p99 µs |"
        yield "|---|---|---|---|---|---|---|"
        for name, found in figures.items():
            rate, cpu = found["rate"] / base["rate"], found["cpu"] / base["cpu"]
            cells = (
                *(BY_NAME[name].title, f"{found['rate']:,.0f}", f"{rate:.2f}"),
                *(f"{found['cpu']:.0f}", f"{cpu:.2f}", f"{found['p50']:,}", f"{found['p99']:,}"),
            )
            yield _row(*cells)
        yield f"\nFilled in {facts['seconds']:g} s; {facts['megabytes']:,} MB on disk."
        if facts["bytes_per_key"]:
            sizes = ", ".join(f"{name} {size:g}" for name, size in facts["bytes_per_key"].items())
            yield f"Bytes per key, heap and indexes: {sizes}."


def _rest(results: Mapping[str, Any]) -> Iterator[str]:
    for vendor, counts in results.get("counts", {}).items():
        columns = list(next(iter(counts.values())))
        yield f"\n### Per request, {vendor}\n"
        yield _row("", *columns)
        yield "|---" * (len(columns) + 1) + "|"
        for name, found in counts.items():
            yield _row(BY_NAME[name].title, *(f"{found[column]:g}" for column in columns))
    for vendor, lists in results.get("lists", {}).items():
        sizes = list(next(iter(lists.values())))
        yield f"\n### Lists of keys, {vendor}: ms (CPU ms)\n"
        yield _row("keys of the organization", *(f"{int(size):,}" for size in sizes))
        yield "|---" * (len(sizes) + 1) + "|"
        for kind, found in lists.items():
            yield _row(kind, *(f"{found[s]['ms']:g} ({found[s]['cpu_ms']:g})" for s in sizes))
    if "scaling" in results:
        yield "\n### Two workers on two cores\n"
        yield "| | 1 worker, req/s | 2 workers, req/s | ratio |\n|---|---|---|---|"
        for name, found in results["scaling"].items():
            cells = (f"{found['one']:,.0f}", f"{found['two']:,.0f}", f"{found['ratio']:.2f}")
            yield _row(BY_NAME[name].title, *cells)
    yield from _endurance(results)


def _endurance(results: Mapping[str, Any]) -> Iterator[str]:
    memory, abuse = results.get("memory"), results.get("abuse")
    if memory:
        samples = memory["samples"]
        step = max(1, len(samples) // 12)
        sizes = ", ".join(f"{size} MB after {at} s" for at, size in samples[step - 1 :: step])
        yield f"\n### Memory\n\n{memory['distinct_keys']:,} distinct keys: {sizes}."
    if abuse:
        yield "\n### Bad keys\n\n| | p50 ms | p99 ms |\n|---|---|---|"
        yield _row("honest calls alone", *map(str, abuse["quiet"].values()))
        among = f"among {abuse['bad_keys_a_second']} bad keys a second"
        yield _row(among, *map(str, abuse["attacked"].values()))


def _goals(results: Mapping[str, Any]) -> Iterator[str]:
    judged = judge(results)
    columns = [place for place, _ in judged[:-1]]
    yield "\n### Goals\n"
    yield _row("", "goal", *columns)
    yield "|---" * (len(columns) + 2) + "|"
    for together in zip(*(found for _, found in judged[:-1]), strict=True):
        yield _row(together[0].what, together[0].goal, *map(_verdict, together))
    yield "\n| | goal | reached |\n|---|---|---|"
    for one in judged[-1][1]:
        yield _row(one.what, one.goal, _verdict(one))


def _verdict(reached: Reached) -> str:
    if reached.met is None:
        return _VERDICTS[None]
    return f"{reached.value}, {_VERDICTS[reached.met]}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
