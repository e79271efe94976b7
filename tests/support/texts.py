"""Helpers for tests of documents: functions of files, headings, table cells."""

import ast
import re
from functools import cache
from pathlib import Path


@cache
def functions(path: Path) -> set[str]:
    """The functions of a file, by name."""
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def is_there(root: Path, reference: str) -> bool:
    """Whether a test, `path::name`, or a file with tests exists."""
    path, _, name = reference.partition("::")
    found = functions(root / path)
    return name in found if name else any(one.startswith("test_") for one in found)


def _anchor(title: str) -> str:
    """What sites that show Markdown make of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """The headings of a text, as addresses."""
    return {_anchor(title) for title in re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)}


def section(path: Path, anchor: str) -> str:
    """What stands under a heading, up to the next one of any level."""
    parts = re.split(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return next(
        text
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
        if _anchor(title) == anchor
    )


def cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip() for cell in line.strip("|").split("|")]
