"""The table as a text for people."""

from typing import Final

from tests.security.matrix.table import CALLERS, CELLS, CLASSES, DESCRIPTIONS, MATRIX, ROWS

TEXT: Final = "docs/security/authorization.md"
_INTRODUCTION: Final = f"""\
# Who may do what

Every address of Latchkey, every method it has, and what each kind of caller is answered there:
{len(MATRIX)} operations × {len(CALLERS)} callers = {CELLS:,} cells. This text is made by
`make matrix` from `tests/security/matrix/table.py`. The tests ask for each cell. They also compare
the table with the URLs of the application: a URL or a method without a row fails them.

What is asked for is Acme's. A refusal leaves every row of every table as it was, the audit trail
included. Three things are beside the comparison: when a key was last used, the counts of requests,
and the visitor's own browser session.

A key is nobody on a page, and a session is nobody in the API. Where `STAFF_SECOND_FACTOR` is on,
staff without a second factor are led to the sign-in by every page of the administration; that is
tested beside the table. An operation that is refused for its content, such as an empty form, counts
as “yes” here: the caller was let in. So does an answer that leads on to another page. “Away” is a
page that has nothing for the caller and leads elsewhere.
"""


def document() -> str:
    """The whole text."""
    callers = [f"- **{name}**: {DESCRIPTIONS[name]}" for name in CALLERS]
    parts = [_INTRODUCTION, "## Callers\n", *callers, ""]
    parts += ["## Classes of operations\n", *_table(("class", *CALLERS), _classes()), ""]
    parts += ["## Operations\n", *_table(("address", "methods", "class"), _operations()), ""]
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
