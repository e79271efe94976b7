"""Fixtures for machine failures. Prints what a test measures when it is done."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.reliability.live.conftest import LEASE, Server, running

_measured: list[str] = []


@pytest.fixture
def report() -> Callable[[str], None]:
    """Prints a line after the run, for the tables in docs/operations/resilience.md."""
    return _measured.append


@pytest.fixture
def server(committed: None, tmp_path: Path, settings: Settings) -> Iterator[Server]:
    """A real server with leases; what tests withdraw themselves waits as long."""
    settings.API_KEY_LEASE = LEASE
    with running(tmp_path / "server.log") as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what was measured; processes of xdist keep theirs to themselves."""
    if _measured:
        terminalreporter.section("measured")
        for line in _measured:
            terminalreporter.write_line(line)
