"""The example, the code and the Compose file name the same variables."""

import ast
import re
from pathlib import Path

from config.env import ROOT
from tests.support.processes import GOOD_SECRETS, manage

EXAMPLE = (ROOT / ".env.example").read_text()
READER = re.compile(
    r"(?:env\.|_env\.)?(?:text|flag|seconds|number|retention|words|networks|str|bool|list)"
)
ENVIRON = re.compile(r"os\.environ\.(?:get|setdefault)")


def _named_in_example() -> list[str]:
    return re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE)


def _read_by(path: Path) -> set[str]:
    """The upper-case texts with which `path` asks for a variable."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function, name = ast.unparse(node.func), str(node.args[0].value)
            asks = READER.fullmatch(function) or ENVIRON.fullmatch(function)
            if asks and re.fullmatch("[A-Z_]+", name):
                names.add(name)
    return names


def _settings_read() -> set[str]:
    files = [ROOT / "manage.py", *(ROOT / "config").glob("*.py")]
    files += [ROOT / "config/settings/base.py", ROOT / "config/settings/production.py"]
    return set().union(*(_read_by(file) for file in files))


def test_the_example_lists_exactly_what_is_read() -> None:
    read = _settings_read()
    by_compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))

    assert {"SECRET_KEY", "ENV_FILE", "VAR_DIR", "DATABASE_URL"} <= read
    assert set(_named_in_example()) == read | by_compose
    assert by_compose - read == {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def test_compose_passes_every_setting_on() -> None:
    """A name without a value takes the value of the shell or of `.env`."""
    compose = (ROOT / "compose.yaml").read_text()
    block = compose.partition("environment:\n")[2].partition("  cap_drop")[0]
    passed = dict(re.findall(r"^    ([A-Z_]+): ?(.*)$", block, re.MULTILINE))
    own = {name for name, value in passed.items() if value and f"${{{name}:" not in value}

    assert own == {"DATABASE_URL", "REDIS_URL"}
    assert len(passed) == len(block.splitlines())
    assert _settings_read() - set(passed) == {"DEMO_PASSWORD", "ENV_FILE", "VAR_DIR"}
    assert set(passed) <= _settings_read()


def test_each_variable_stands_once_under_a_comment() -> None:
    lines = EXAMPLE.splitlines()
    places = [n for n, line in enumerate(lines) if re.match(r"(?:# )?[A-Z][A-Z_]+=", line)]

    assert len(set(_named_in_example())) == len(places)
    assert all(re.match(r"# [A-Z\"].*[^=]$", lines[place - 1]) for place in places)


def test_the_example_itself_does_not_start(tmp_path: Path) -> None:
    kept = {"ENV_FILE": ".env.example", "VAR_DIR": str(tmp_path)}
    without = manage("check", **kept)
    with_key = manage("check", **kept, SECRET_KEY=GOOD_SECRETS["SECRET_KEY"])
    with_both = manage("check", **kept, **GOOD_SECRETS)

    assert [run.returncode for run in (without, with_key, with_both)] == [1, 1, 1]
    assert without.stderr.startswith("Set SECRET_KEY")
    assert with_key.stderr.startswith("Set API_KEY_PEPPERS")
    assert with_both.stderr.startswith("Set DATABASE_URL")
