"""`make bench`: fills its databases, measures, prints the tables and writes the results."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import counts, endurance, lists, report, rounds, scaling
from benchmarks.databases import prepare
from benchmarks.rounds import Plan

#: Maximum seconds per contender and round.
_LONGEST_SECONDS: Final = 60
_PARTS: Final = ("rounds", "counts", "lists", "scaling", "memory", "abuse")


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    rounds.require_two_cores()
    for number in (signal.SIGTERM, signal.SIGINT):  # so that servers are stopped, too
        signal.signal(number, lambda *_: sys.exit("Stopped."))
    results = run(asked)
    print(report.markdown(results))
    print(f"Written to {asked.write} and, as Markdown, beside it.")
    slow = [name for one in results["rounds"] for name in rounds.too_busy(one["figures"])]
    if slow:
        raise SystemExit(f"The loader was the bottleneck for {', '.join(sorted(set(slow)))}.")


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Measures the requested parts and returns the results."""
    plan = Plan(asked.rounds, asked.seconds, asked.redis)
    results: dict[str, Any] = {
        "surroundings": report.surroundings(),
        "plan": {"rounds": plan.rounds, "seconds": plan.seconds},
        "rounds": [],
    }
    for vendor in asked.databases:
        _measure_keys(vendor, asked, plan, results)
        if "lists" in asked.parts:
            _say(f"{vendor}: lists")
            database = prepare(vendor, asked.server, "lists", asked.lists)
            found = lists.measure(database, asked.lists, plan)
            results.setdefault("lists", {})[vendor] = found
            report.save(results, asked.write)
    _measure_once(asked, plan, results)
    report.save(results, asked.write)
    return results


def _measure_keys(
    vendor: str, asked: argparse.Namespace, plan: Plan, results: dict[str, Any]
) -> None:
    for number in asked.keys:
        database = prepare(vendor, asked.server, "keys", [number])
        if "counts" in asked.parts and number == asked.keys[0]:
            _say(f"{vendor}: counts")
            results.setdefault("counts", {})[vendor] = counts.count(database, number, plan)
        if "rounds" in asked.parts:
            figures = rounds.measure(database, number, plan, _say)
            one = {"database": vendor, "keys": number, "facts": database.facts, "figures": figures}
            results["rounds"].append(one)
            report.save(results, asked.write)  # a later step may fail after hours


def _measure_once(asked: argparse.Namespace, plan: Plan, results: dict[str, Any]) -> None:
    """Measures what needs only one database, with the largest number of keys."""
    vendor, number = asked.databases[0], asked.keys[-1]
    database = prepare(vendor, asked.server, "keys", [number])
    if "scaling" in asked.parts and vendor == "postgresql":
        _say("scaling")
        results["scaling"] = scaling.measure(database, number, plan)
    if "abuse" in asked.parts:
        _say("bad keys")
        results["abuse"] = endurance.abuse(database, number, plan, asked.abuse)
    if "memory" in asked.parts and asked.memory:
        _say(f"memory, {asked.memory:g} seconds")
        results["memory"] = endurance.memory(database, number, plan, asked.memory)


def _say(text: str) -> None:
    print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=7)
    add("--seconds", type=_seconds, default=2.0, help="of each contender in each round")
    add(
        "--keys", type=_numbers, default=[1_000, 1_000_000], help="numbers of keys, the least first"
    )
    add("--databases", type=_words, default=["postgresql", "sqlite"])
    add("--parts", type=_words, default=list(_PARTS), help=f"of {', '.join(_PARTS)}")
    add("--lists", type=_numbers, default=[10, 10_000, 100_000], help="sizes of organizations")
    add("--abuse", type=float, default=5.0, help="seconds of bad keys")
    add("--memory", type=float, default=0.0, help="seconds of load for the memory; 0 for none")
    add("--server", default="postgres://127.0.0.1:5432/postgres", help="address of PostgreSQL")
    add("--write", type=Path, default=report.default_file(), help="where the results go")
    add("--redis", default="", help="address of Redis, for the servers on PostgreSQL")
    return parser


def _numbers(text: str) -> list[int]:
    return sorted(int(word.replace("_", "")) for word in _words(text))


def _words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"from 0 to {_LONGEST_SECONDS}")
    return value


if __name__ == "__main__":
    main()
