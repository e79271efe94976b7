"""Fails a test that leaves a secret anywhere except in the response that issued it.

Each process of a parallel run searches for the secrets that it issued itself.
"""

import logging
import sys
from collections.abc import Callable, Generator, Iterable
from contextvars import ContextVar
from typing import Any, Final

import pytest
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest

from apikeys import tokens
from core.redaction import redact
from tests.security.canary import sinks
from tests.security.canary.needles import Needles
from tests.support import sqlite_locks
from tests.support.tiers import has_database

#: The numbers of the secrets that the answer being made may tell.
_answering: ContextVar[set[int] | None] = ContextVar("answering", default=None)
_CANARY: Final = pytest.StashKey["Canary"]()
#: Secrets issued and places searched, by each process.
_TOTALS: Final = pytest.StashKey[list[tuple[int, int]]]()
#: How many secrets there were before the test.
_BEFORE: Final = pytest.StashKey[int]()


class Canary:
    """Collects secrets in memory, and the places in which they were found."""

    def __init__(self) -> None:
        self.needles = Needles()
        self.lines = sinks.Lines()
        self.searched = 0
        self.leaks: list[str] = []

    def issued(self, secret: str) -> None:
        """Remembers a secret, and the answer in which it may be told."""
        number = self.needles.add(secret)
        made = _answering.get()
        if made is not None:
            made.add(number)

    def search(self, places: Iterable[tuple[str, bytes]], allowed: Iterable[int] = ()) -> None:
        """Notes which of the secrets are in which of the places."""
        for place, content in places:
            self.searched += 1
            found = self.needles.found_in(content) - set(allowed)
            if found:
                self.leaks.append(f"{self.needles.prefixes(found)} in {place}")

    def search_answer(self, path: str, response: Any, made: set[int]) -> None:
        """The body may hold what was made for it; the headers and cookies may hold nothing."""
        head = f"{response.headers}{response.cookies}".encode()
        self.search([(f"the headers of {redact(path)}", head)])
        place = f"the answer of {redact(path)}"
        if response.streaming:
            parts = response.streaming_content
            response.streaming_content = self._passed_on(place, parts)
        else:
            self.search([(place, response.content)], made)

    def _passed_on(self, place: str, parts: Iterable[bytes]) -> Iterable[bytes]:
        for part in parts:
            self.search([(place, part)])
            yield part

    def taken_leaks(self) -> list[str]:
        """The leaks so far, which are then forgotten."""
        leaks, self.leaks = self.leaks, []
        return leaks


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--secrets",
        type=int,
        default=0,
        help="how many secrets a run has to issue and look for (0)",
    )


def pytest_configure(config: pytest.Config) -> None:
    canary = Canary()
    config.stash[_CANARY] = canary
    config.stash[_TOTALS] = []
    watched = pytest.MonkeyPatch()
    config.add_cleanup(watched.undo)
    watched.setattr(tokens, "generate", _telling(canary, tokens.generate))
    watched.setattr(BaseHandler, "get_response", _searched(canary, BaseHandler.get_response))
    logging.getLogger().addHandler(canary.lines)


def _telling(canary: Canary, generate: Callable[..., str]) -> Callable[..., str]:
    def generate_and_tell(*args: Any) -> str:
        secret = generate(*args)
        # Tests that make strings up by the thousand issue nothing.
        if sys._getframe(1).f_globals["__name__"].startswith("apikeys."):
            canary.issued(secret)
        return secret

    return generate_and_tell


def _searched(canary: Canary, get_response: Callable[..., Any]) -> Callable[..., Any]:
    def get_searched_response(handler: BaseHandler, request: HttpRequest) -> Any:
        made: set[int] = set()
        token = _answering.set(made)
        try:
            response = get_response(handler, request)
        finally:
            _answering.reset(token)
        canary.search_answer(request.path, response, made)
        return response

    return get_searched_response


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    item.stash[_BEFORE] = len(item.config.stash[_CANARY].needles)
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """Looks while the test's rows and mails are still there; the report tells what was found."""
    canary = item.config.stash[_CANARY]
    try:
        canary.search(sinks.of_a_test(getattr(item, "funcargs", {}).get("tmp_path")))
        if len(canary.needles) > item.stash[_BEFORE] and has_database(item):
            canary.search(sinks.database())
    except Exception as defect:  # noqa: BLE001 - the cleaning up has to go on
        canary.leaks.append(f"a place could not be searched: {defect!r}")
    yield
    canary.search(canary.lines.taken())
    if nextitem is None or nextitem.path != item.path:
        canary.search(sinks.store())
    if nextitem is None:
        sqlite_locks.release()
        canary.search(sinks.files())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test has printed holds no secret, and what pytest shows of a failure is cut."""
    report = yield
    canary = item.config.stash[_CANARY]
    if call.when == "teardown":
        canary.search([("what was printed", (report.capstdout + report.capstderr).encode())])
        leaks = canary.taken_leaks()
        if leaks:
            found = "A secret was found: " + "; ".join(leaks)
            report.outcome, report.longrepr = "failed", f"{report.longreprtext}\n{found}".strip()
    report.sections = [(name, redact(text)) for name, text in report.sections]
    if redact(report.longreprtext) != report.longreprtext:
        report.longrepr = redact(report.longreprtext)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of a parallel run hands its numbers on; the run fails if it issued too little."""
    config = session.config
    canary = config.stash[_CANARY]
    config.stash[_TOTALS].append((len(canary.needles), canary.searched))
    if hasattr(config, "workeroutput"):
        config.workeroutput["canary"] = config.stash[_TOTALS][0]
    elif _issued(config) < config.getoption("--secrets"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of a parallel run has ended."""
    totals = getattr(node, "workeroutput", {}).get("canary")
    if totals:
        node.config.stash[_TOTALS].append(tuple(totals))


def _issued(config: pytest.Config) -> int:
    return sum(issued for issued, _ in config.stash[_TOTALS])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    issued, least = _issued(config), config.getoption("--secrets")
    places = sum(searched for _, searched in config.stash[_TOTALS])
    terminalreporter.write_line(f"{issued:,} secrets issued and looked for in {places:,} places.")
    if issued < least:
        terminalreporter.write_line(f"At least {least:,} were to be issued.", red=True)
