"""Generates docs/security/authorization.md."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tests.security.matrix.table import CALLERS, CELLS, CLASSES, DESCRIPTIONS, MATRIX, ROWS, YES

TEXT: Final = "docs/security/authorization.md"
_MODEL_PAGE: Final = re.compile(r"/admin/((?:organizations|apikeys)/\w+)/(.*)")
_MODELS: Final = {page[1] for route, _ in ROWS if (page := _MODEL_PAGE.match(f"/{route}"))}
_INTRODUCTION: Final = f"""\
# Who may do what

Every URL and method of Latchkey, and the response to each kind of caller:
{len(MATRIX)} operations × {len(CALLERS)} callers = {CELLS:,} cells. `make matrix` generates this
page from `tests/security/matrix/table.py`. The tests request each cell; a URL or method that the
table lacks fails them.

All objects are Acme's. A refusal changes no row of any table, except for last-used times, request
counts, and the visitor's own browser session. Keys count as no credential on pages, and sessions
as none in the API. With `STAFF_SECOND_FACTOR` on, staff without a second factor are redirected to
sign in; other tests cover that.

- **yes**: the caller may do it, even if this request is rejected for its content, such as an empty
  form, or leads to another page.
- **away**: the page has nothing for the caller and redirects elsewhere.
- **sign-in**, **staff sign-in**: a redirect there.
- `{{model}}`: a model of the administration; “all” are {", ".join(sorted(_MODELS))}.

## Callers
"""


def document() -> str:
    """The whole text."""
    callers = [f"- **{name}**: {DESCRIPTIONS[name]}" for name in CALLERS]
    sections = (line for kind in CLASSES for line in _section(kind))
    return "\n".join([_INTRODUCTION, *callers, "", "## Operations", "", *sections])


def _section(kind: str) -> Iterator[str]:
    """A class of operations: who gets which response, and the URLs by method."""
    yield f"### {kind[0].upper()}{kind[1:]}\n"
    yield f"{_answers(kind)}\n"
    for methods, routes in _routes(kind).items():
        yield f"- {methods}: {', '.join(routes)}"
    yield ""


def _answers(kind: str) -> str:
    """Response → its callers, "yes" first, and only "all others" for the most frequent one."""
    callers: dict[str, list[str]] = defaultdict(list)
    for caller, answer in sorted(CLASSES[kind].items(), key=lambda item: item[1] != YES):
        callers[str(answer)].append(caller)
    rest = max(callers, key=lambda answer: len(callers[answer]))
    named = [f"{answer}: {', '.join(who)}" for answer, who in callers.items() if answer != rest]
    return "; ".join([*named, f"{rest}: all others" if named else f"{rest}: all"]) + "."


def _routes(kind: str) -> dict[str, list[str]]:
    """Methods → URLs. Pages of the administration that differ in their model only are one."""
    routes: dict[str, list[str]] = defaultdict(list)
    models: dict[tuple[str, str], list[str]] = defaultdict(list)
    for route, methods in _methods(kind).items():
        model = _MODEL_PAGE.fullmatch(route)
        if model:
            models[methods, model[2]].append(model[1])
        else:
            routes[methods].append(f"`{route}`")
    for (methods, page), names in models.items():
        routes[methods].append(f"`/admin/{{model}}/{page}` ({_names(names)})")
    return routes


def _methods(kind: str) -> dict[str, str]:
    """URL → its methods in a class, which can have several rows of one URL."""
    methods: dict[str, list[str]] = defaultdict(list)
    for (route, some), kind_of_row in ROWS.items():
        if kind_of_row == kind:
            methods[f"/{route}"] += some.split()
    return {route: " ".join(some) for route, some in methods.items()}


def _names(models: list[str]) -> str:
    return "all" if len(models) == len(_MODELS) else ", ".join(f"`{model}`" for model in models)
