"""Generates docs/security/authorization.md."""

from collections.abc import Iterator
from typing import Final

from tests.security.matrix.table import CALLERS, CELLS, CLASSES, DESCRIPTIONS, MATRIX, ROWS

TEXT: Final = "docs/security/authorization.md"
_INTRODUCTION: Final = f"""\
# Who may do what

Every URL and method of Latchkey, and the response to each kind of caller:
{len(MATRIX)} operations × {len(CALLERS)} callers = {CELLS:,} cells. `make matrix` generates this
page from `tests/security/matrix/table.py`. The tests request each cell, and compare the table with
the URLs of the application: a URL or a method without a row fails them.

All objects are Acme's. A refusal leaves every row of every table unchanged, the audit trail
included, except for last-used times, request counts, and the visitor's own browser session.

Keys count as no credential on pages, and sessions as none in the API. With `STAFF_SECOND_FACTOR`
on, staff without a second factor are redirected to sign in; other tests cover that. “yes” means
that the caller may do it, even if this request is rejected for its content, such as an empty form,
or leads to another page. “away” means that the page has nothing for the caller and redirects
elsewhere.
"""


def document() -> str:
    """The whole text."""
    columns = _columns()
    callers = [f"- **{name}**: {DESCRIPTIONS[name]}" for name in CALLERS]
    parts = [_INTRODUCTION, "## Callers\n", *callers, ""]
    heads = ("class", *(", ".join(names) for names in columns))
    parts += ["## Classes of operations\n", *_table(heads, _classes(columns)), ""]
    parts += ["## Operations\n", *_operations()]
    return "\n".join(parts)


def _columns() -> list[list[str]]:
    """The callers, those together that always get the same response."""
    columns: dict[tuple[object, ...], list[str]] = {}
    for caller in CALLERS:
        answers = tuple(answers[caller] for answers in CLASSES.values())
        columns.setdefault(answers, []).append(caller)
    return list(columns.values())


def _classes(columns: list[list[str]]) -> list[tuple[str, ...]]:
    return [
        (kind, *(str(answers[names[0]]) for names in columns)) for kind, answers in CLASSES.items()
    ]


def _operations() -> Iterator[str]:
    """The operations of each class."""
    for kind in CLASSES:
        yield f"### {kind.capitalize()}\n"
        for (route, methods), kind_of_row in ROWS.items():
            if kind_of_row == kind:
                yield f"- `/{route}` {methods.replace(' ', ', ')}"
        yield ""


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [heads, ("---",) * len(heads), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
