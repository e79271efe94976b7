"""docs/security/threats.md names each threat once, with an existing test or a dated decision."""

import re
from collections import Counter
from datetime import date
from typing import NamedTuple

import pytest

from config.env import ROOT
from tests.support.texts import anchors, cells, is_there, section

TEXT = ROOT / "docs/security/threats.md"
#: Prefix → the numbers of its lines, in the order of the text.
LINES = {
    "AB": [*range(1, 81), *range(120, 125)],
    "F": range(1, 22),
    "S": range(1, 24),
    "R": range(1, 8),
    "D": range(1, 13),
    "API": range(1, 11),
}
IDS = [
    f"{prefix}{number:02}" if prefix == "AB" else f"{prefix}{number}"
    for prefix, numbers in LINES.items()
    for number in numbers
]
DECISION = re.compile(r"\*\*(\d{4}-\d\d-\d\d):\*\* (.+)")


class Row(NamedTuple):
    """One line: what must never happen, or what is aimed for, and what shows it."""

    ids: list[str]
    what: str
    shown: str

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`(tests/[^`]+)`", self.shown)

    @property
    def cases(self) -> set[str]:
        """The tests that are named, and those of other rows that are named by their id."""
        others = re.findall(r"(?<![\w/])[A-Z]+\d+(?!\w)", re.sub(r"`[^`]*`", "", self.shown))
        return {*self.tests, *(test for other in others for test in ROW_OF[other].tests)}

    @property
    def decision(self) -> re.Match[str] | None:
        return DECISION.search(self.shown)


def _rows() -> list[Row]:
    lines = [line for line in TEXT.read_text().splitlines() if re.match(r"\| [A-Z]+\d", line)]
    return [Row(ids.split(", "), *rest) for ids, *rest in map(cells, lines)]


ROWS = _rows()
ROW_OF = {name: row for row in ROWS for name in row.ids}
REFERENCES = sorted({reference for row in ROWS for reference in row.tests})
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", TEXT.read_text())))


def test_every_threat_stands_there_once() -> None:
    assert Counter(name for row in ROWS for name in row.ids) == Counter(IDS)


@pytest.mark.parametrize("prefix", LINES)
def test_rows_are_in_the_order_of_their_first_ids(prefix: str) -> None:
    first = [row.ids[0] for row in ROWS if re.fullmatch(rf"{prefix}\d+", row.ids[0])]

    assert first == [name for name in IDS if name in first]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ids[0])
def test_a_line_names_a_test_or_a_dated_decision(row: Row) -> None:
    assert row.what
    assert row.cases or row.decision
    if row.decision:
        assert date(2026, 11, 20) < date.fromisoformat(row.decision[1])
        assert len(row.decision[2].split()) > 5, "a decision has a reason"


def test_the_numbers_are_those_of_the_lines() -> None:
    decided = sum(bool(row.decision) for row in ROWS)

    found = re.search(
        r"(\d+) threats and goals: (\d+) covered by tests, (\d+) by tests and", TEXT.read_text()
    )
    assert found
    assert [int(number) for number in found.groups()] == [
        len(ROWS),
        len(ROWS) - decided,
        decided,
    ]


@pytest.mark.parametrize(
    ("label", "file", "anchor"),
    re.findall(r"\[([^]]*\d[^]]*)\]\(([\w./-]+\.md)#([^)]*)\)", TEXT.read_text()),
)
def test_a_figure_stands_where_its_link_leads(label: str, file: str, anchor: str) -> None:
    there = section(TEXT.parent / file, anchor)

    assert [
        number for number in re.findall(r"\d(?:[\d,.]*\d)?", label) if number not in there
    ] == []


@pytest.mark.parametrize("risk", [f"API{number}" for number in LINES["API"]])
def test_each_risk_has_five_cases(risk: str) -> None:
    assert len(ROW_OF[risk].cases) >= 5


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_test_that_is_named_is_there(reference: str) -> None:
    assert is_there(ROOT, reference)


@pytest.mark.parametrize("link", LINKS)
def test_every_text_and_section_that_is_named_is_there(link: str) -> None:
    path, _, anchor = link.partition("#")
    text = TEXT.parent / path if path else TEXT

    assert text.is_file()
    assert not anchor or anchor in anchors(text)


@pytest.mark.parametrize(
    "reference", ["tests/support/texts.py", "tests/config/test_threats.py::test_no"]
)
def test_a_test_that_is_not_there_is_noticed(reference: str) -> None:
    assert not is_there(ROOT, reference)
