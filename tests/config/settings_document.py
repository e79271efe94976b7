"""Generates docs/operations/settings.md: `python -m tests.config.settings_document`.

Names and descriptions come from .env.example, defaults from the code that reads each variable.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from config.env import ROOT

TEXT: Final = ROOT / "docs/operations/settings.md"
_INTRODUCTION: Final = """\
# Settings

Environment variables, or lines of the file `.env`, which they override. `make settings` generates
this page from `.env.example` and from the code that reads the variables.

- A switch takes `on` or `off` (or true/false, yes/no, 1/0). Any other value stops the start, as
  does a line of the file that is not `NAME=value`, a comment or empty.
- In URLs, write `#`, `/`, `?` and `@` of a name or password as `%23`, `%2F`, `%3F` and `%40`.
- `HTTP_*` variables are ignored, because WSGI servers pass them on as headers of every request.
- Scopes (`API_KEY_SCOPES`) and rate-limit tiers (`RATE_LIMIT_TIERS`) are constants in
  `config/settings/base.py`.

"""
_VARIABLE: Final = re.compile(r"^# (.+)\n(# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
#: Functions of config/env.py that read a variable, and their equivalents.
READERS: Final = frozenset(
    ("text", "flag", "seconds", "number", "retention", "words", "networks", "str", "bool", "list")
)
#: Defaults that no constant states.
_COMPUTED: Final = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "GRANIAN_WORKERS": "1",
    "VAR_DIR": "var",
    "ENV_FILE": ".env",
}


class Variable(NamedTuple):
    """A variable of .env.example; `is_comment` if its line is commented out."""

    name: str
    description: str
    is_comment: bool
    example: str


def variables() -> list[Variable]:
    """All variables, in the order of .env.example."""
    found = _VARIABLE.findall((ROOT / ".env.example").read_text())
    return [Variable(name, text, bool(mark), value) for text, mark, name, value in found]


def reads(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """The calls in a file that read an environment variable, with its name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = ast.unparse(node.func)
            name = str(node.args[0].value)
            is_reader = re.sub("^_?env[.]", "", function) in READERS
            is_environ = function in ("os.environ.get", "os.environ.setdefault")
            if (is_reader or is_environ) and re.fullmatch("[A-Z_]+", name):
                yield name, node


def defaults() -> dict[str, str]:
    """The default of each variable as it would be written in .env; "" for none."""
    files = [ROOT / "config/env.py", ROOT / "config/settings/base.py"]
    found = {name: _default(call) for file in files for name, call in reads(file)}
    return found | _COMPUTED


def _default(call: ast.Call) -> str:
    keyword = {word.arg: word.value for word in call.keywords}.get("default")
    if ast.unparse(call.func).endswith("flag"):
        return "on" if keyword is not None and _value(keyword) else "off"
    value = _value(call.args[1]) if len(call.args) > 1 else ""
    return ",".join(value) if isinstance(value, list) else str(value)


def _value(node: ast.expr) -> Any:
    """The value of a constant, a list of constants or a product; "" for anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _value(node.left) * _value(node.right)
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ""


def document() -> str:
    """The text of the page."""
    default_of = defaults()
    rows = [
        f"| `{one.name}` | {_code(default_of.get(one.name, ''))} | {one.description} |"
        for one in variables()
    ]
    table = ["| variable | default | meaning |", "|---|---|---|", *rows, ""]
    return _INTRODUCTION + "\n".join(table)


def _code(value: str) -> str:
    return f"`{value}`" if value else ""


if __name__ == "__main__":
    TEXT.write_text(document())
