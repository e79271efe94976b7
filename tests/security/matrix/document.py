"""Generates docs/security/authorization.md."""

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
    callers = [f"- **{name}**: {DESCRIPTIONS[name]}" for name in CALLERS]
    parts = [_INTRODUCTION, "## Callers\n", *callers, ""]
    parts += ["## Classes of operations\n", *_table(("class", *CALLERS), _classes()), ""]
    parts += ["## Operations\n", *_table(("URL", "methods", "class"), _operations()), ""]
    return "\n".join(parts)


def _classes() -> list[tuple[str, ...]]:
    return [(kind, *(str(answers[c]) for c in CALLERS)) for kind, answers in CLASSES.items()]


def _operations() -> list[tuple[str, ...]]:
    return [
        (f"`/{route.replace('|', chr(92) + '|')}`", methods.replace(" ", ", "), kind)
        for (route, methods), kind in ROWS.items()
    ]


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [heads, ("---",) * len(heads), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
