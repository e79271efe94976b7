"""Runs many schedules."""

from tests.reliability.clock.rules import PROTOCOL, Rules
from tests.reliability.clock.world import Result, World


def simulate(seeds: range, rules: Rules = PROTOCOL, *, stop_when_broken: bool = False) -> Result:
    """What all of them have shown together."""
    total = Result()
    for seed in seeds:
        total.add(World(seed, rules).run())
        if stop_when_broken and total.violations:
            break
    return total
