"""docs/security/asvs.md has each requirement once, correct counts, and existing references."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import global_settings

from config.env import ROOT
from config.settings import base
from tests.support.texts import anchors, cells, is_there

HERE = Path(__file__).parent
TEXT = ROOT / "docs/security/asvs.md"
#: Section of the text → status of its rows.
STATES = {"Met": "met", "Partly met": "partly", "Gaps": "gap", "Does not apply": "does not apply"}
LEVELS = (1, 2)


class Row(NamedTuple):
    """One line of the tables; `ids` has several where the same holds for all of them."""

    status: str
    ids: list[str]
    #: As the text has them: a chapter stands for its requirements.
    names: list[str]
    bold: set[str]
    asks: str
    evidence: str


def _levels() -> dict[str, int]:
    """The level of every requirement of the standard."""
    lines = (HERE / "levels.txt").read_text().splitlines()[1:]
    return {
        f"{section}.{number}": int(level)
        for section, *levels in map(str.split, lines)
        for number, level in enumerate(levels, 1)
    }


def _expanded(name: str) -> list[str]:
    """The requirements of a chapter (`V10`) or section (`V4.3`), or the one of that name."""
    return [
        one
        for one, level in LEVEL_OF.items()
        if level in LEVELS and (one == name or one.startswith(f"{name}."))
    ]


def _rows() -> list[Row]:
    parts = re.split(r"^## (.+)$", TEXT.read_text(), flags=re.MULTILINE)
    return [
        _row(STATES[title], *cells(line))
        for title, part in zip(parts[1::2], parts[2::2], strict=True)
        for line in part.splitlines()
        if re.match(r"\| \**V\d", line)
    ]


def _row(status: str, ids: str, *rest: str) -> Row:
    names = ids.replace("*", "").split(", ")
    ids_of_row = [one for name in names for one in _expanded(name)]
    bold = set(re.findall(r"\*\*([^*]+)\*\*", ids))
    return Row(status, ids_of_row, names, bold, "".join(rest[:-1]), rest[-1])


LEVEL_OF = _levels()
ROWS = _rows()
REFERENCES = sorted(set(re.findall(r"`(tests/[^`]+)`", TEXT.read_text())))
LINKS = sorted(set(re.findall(r"\]\((?!https:)([^)]+)\)", TEXT.read_text())))
SETTINGS = sorted(set(re.findall(r"`([A-Z][A-Z_]+)`", TEXT.read_text())))


def test_the_list_of_the_standard_is_whole() -> None:
    assert Counter(LEVEL_OF.values()) == {1: 70, 2: 183, 3: 92}


def test_every_requirement_of_both_levels_stands_there_once() -> None:
    named = Counter(one for row in ROWS for one in row.ids)

    assert named == dict.fromkeys((one for one, at in LEVEL_OF.items() if at in LEVELS), 1)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ids[0])
def test_a_row_says_what_it_has_to(row: Row) -> None:
    assert len(row.asks.split()) < 12
    assert bool(row.asks) is (row.status != "does not apply")
    # Whatever is met names what shows it; whatever is not says why.
    if row.status == "met":
        assert re.search(r"`(?:tests/|make |[A-Z_]+`)|\]\(", row.evidence)
    else:
        assert re.search(r"[.)]$|`$", row.evidence)
        assert len(row.evidence.split()) >= 2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ids[0])
def test_the_requirements_of_level_1_are_bold(row: Row) -> None:
    assert row.bold == {name for name in row.names if LEVEL_OF.get(name) == 1}


def test_the_numbers_are_those_of_the_rows() -> None:
    found = Counter((LEVEL_OF[one], row.status) for row in ROWS for one in row.ids)
    by_level = [[found[level, state] for state in STATES.values()] for level in LEVELS]
    both = [sum(column) for column in zip(*by_level, strict=True)]
    wanted = [
        [name, *map(str, [*counts, sum(counts)])]
        for name, counts in zip(("1", "2", "both"), [*by_level, both], strict=True)
    ]

    table = [cells(line) for line in TEXT.read_text().splitlines() if re.match(r"\| [12b]", line)]
    assert table == wanted


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_test_that_is_named_is_there(reference: str) -> None:
    assert is_there(ROOT, reference)


@pytest.mark.parametrize("link", LINKS)
def test_every_text_and_section_that_is_named_is_there(link: str) -> None:
    path, _, anchor = link.partition("#")

    assert (TEXT.parent / path).is_file()
    assert not anchor or anchor in anchors(TEXT.parent / path)


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_that_is_named_is_there(setting: str) -> None:
    example = (ROOT / ".env.example").read_text()

    assert hasattr(base, setting) or hasattr(global_settings, setting) or f"{setting}=" in example
