""".env.example, the code and the Compose file contain the same variables."""

import re
from pathlib import Path

from config.env import ROOT
from tests.config import settings_document
from tests.support.processes import GOOD_SECRETS, manage

EXAMPLE = (ROOT / ".env.example").read_text()
#: Accepted in 0.2, and passed on by Compose so that they keep working there.
OLD_NAMES = {"DATABASE_PATIENCE", "REDIS_PATIENCE"}


def _named_in_example() -> list[str]:
    return re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE)


def _settings_read() -> set[str]:
    files = [ROOT / "manage.py", *(ROOT / "config").glob("*.py")]
    files += [ROOT / "config/settings/base.py", ROOT / "config/settings/production.py"]
    return {name for file in files for name, _ in settings_document.reads(file)}


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
    assert set(passed) - _settings_read() == OLD_NAMES


def test_each_variable_stands_once_under_a_comment() -> None:
    lines = EXAMPLE.splitlines()
    places = [n for n, line in enumerate(lines) if re.match(r"(?:# )?[A-Z][A-Z_]+=", line)]

    assert len(set(_named_in_example())) == len(places)
    assert all(re.match(r"# [A-Z\"].*[^=]$", lines[place - 1]) for place in places)


def test_the_settings_page_is_generated() -> None:
    text = settings_document.TEXT.read_text()

    assert text == settings_document.document(), "run make settings"
    assert [name for name in _named_in_example() if f"| `{name}` |" not in text] == []


def test_commented_examples_show_the_defaults() -> None:
    default_of = settings_document.defaults()
    shown = {
        one.name: one.example
        for one in settings_document.variables()
        if one.is_comment and re.fullmatch(r"[\d.]+|on|off", one.example)
    }

    assert len(shown) > 20
    assert shown.pop("GRANIAN_BLOCKING_THREADS") == "4"  # of the image; unset, 2 are assumed
    assert shown == {name: default_of[name] for name in shown}


def test_the_example_itself_does_not_start(tmp_path: Path) -> None:
    kept = {"ENV_FILE": ".env.example", "VAR_DIR": str(tmp_path)}
    without = manage("check", **kept)
    with_key = manage("check", **kept, SECRET_KEY=GOOD_SECRETS["SECRET_KEY"])
    with_both = manage("check", **kept, **GOOD_SECRETS)

    assert [run.returncode for run in (without, with_key, with_both)] == [1, 1, 1]
    assert without.stderr.startswith("Set SECRET_KEY")
    assert with_key.stderr.startswith("Set API_KEY_PEPPERS")
    assert with_both.stderr.startswith("Set DATABASE_URL")
