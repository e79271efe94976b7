"""Links, commands, tests and values in the documents exist and match the code."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import URLPattern

from apikeys import tokens
from apikeys.api import urls
from apikeys.api.errors import ERROR_TYPES
from config.env import ROOT
from config.settings import base

FRONT_DOOR = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
TEXTS = [*(ROOT / name for name in FRONT_DOOR), *sorted((ROOT / "docs").rglob("*.md"))]
API = (ROOT / "docs/api.md").read_text()
METHODS = {"get", "post", "patch", "delete"}


def _code(text: str) -> str:
    """The parts of a text that are set as code."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def _calls() -> list[str]:
    """Every method and address of the API, as the reference writes them."""
    patterns = [entry for entry in urls.urlpatterns if isinstance(entry, URLPattern)]
    return [
        f"`{method.upper()} /{_readable(str(entry.pattern))}`"
        for entry in patterns
        for method in getattr(entry.callback, "actions", None) or {}
        if method in METHODS
    ]


def _readable(pattern: str) -> str:
    return re.sub("<str:([a-z_]+)>", r"{\1}", pattern)


def test_the_reference_has_every_call_and_no_other() -> None:
    documented = re.findall(r"`(?:GET|POST|PATCH|DELETE) /[^`]*`", API)

    assert len(_calls()) == 25
    assert sorted(set(documented)) == sorted(_calls())


@pytest.mark.parametrize(("status", "type_"), sorted(ERROR_TYPES.items()))
def test_the_reference_has_every_status(status: int, type_: str) -> None:
    assert f"| {status} | `{type_}` |" in API


def test_the_reference_has_every_scope_and_tier() -> None:
    for scope, description in settings.API_KEY_SCOPES.items():
        assert f"| `{scope}` | {description} |" in API
    for tier, limit in base.RATE_LIMIT_TIERS.items():
        assert f"{int(limit.removesuffix('/minute')):,} (`{tier}`)" in API


def test_the_reference_has_the_limit_of_keys() -> None:
    assert f"| keys of an organization | {base.KEYS_PER_ORGANIZATION:,} " in API


def test_the_texts_have_the_scanning_expression() -> None:
    assert tokens.scanning_pattern("sig") in API
    assert tokens.scanning_pattern("sig") in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_make_targets_and_commands_in_texts_exist(text: Path) -> None:
    code = _code(text.read_text())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = {*get_commands(), "generate_secrets"}

    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= targets
    assert set(re.findall(r"\bmanage\.py ([a-z_]+)", code)) <= commands


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_links_in_texts_lead_somewhere(text: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text.read_text())

    assert [target for target in targets if not (text.parent / target).exists()] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_tests_named_in_texts_exist(text: Path) -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", text.read_text()))

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_index_lists_every_text() -> None:
    index = (ROOT / "docs/README.md").read_text()
    listed = [f"({path.relative_to(ROOT / 'docs')})" for path in (ROOT / "docs").rglob("*.md")]

    assert [name for name in listed if name not in index] == ["(README.md)"]


def test_the_pinned_packages_name_no_address() -> None:
    pinned = "".join(path.read_text() for path in (ROOT / "requirements").glob("*.txt"))

    assert pinned.count("--hash=sha256:") > 100
    assert "://" not in pinned
    assert "index" not in pinned


def test_no_file_names_a_place_on_one_machine() -> None:
    places = [f"/{folder}/" for folder in ("work", "home", "root", "Users", "mnt")]
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.check_output(listing, cwd=ROOT, text=True).split("\0")[:-1]
    texts = {name: (ROOT / name).read_text(errors="replace") for name in names}
    place = re.compile("(?<![\\w.*{}/])(?:" + "|".join(places) + ")")

    assert len(texts) > 100
    assert [name for name, text in texts.items() if place.search(text)] == []
