"""No working secret is committed, and anything that looks like one has been reviewed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from apikeys import tokens
from config.env import ROOT

LIST = ROOT / ".secrets.baseline"
FILES = subprocess.run(
    ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split("\0")[:-1]


def _hook(*files: Path, folder: Path) -> int:
    """What detect-secrets says of files, against a copy of the list, which it may change."""
    copy = folder / "list"
    shutil.copy(LIST, copy)
    script = Path(sys.executable).parent / "detect-secrets-hook"
    command = [str(script), "--baseline", str(copy), *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode


def test_no_file_has_a_whole_key() -> None:
    texts = {name: (ROOT / name).read_bytes().decode(errors="replace") for name in FILES}
    assert len(texts) > 300

    whole = [
        name
        for name, text in texts.items()
        for word in text.replace("`", " ").replace('"', " ").replace("'", " ").split()
        if tokens.is_well_formed(word)
    ]
    assert whole == []


def test_every_entry_of_the_list_has_been_looked_at() -> None:
    found = json.loads(LIST.read_text())["results"]

    assert all(entry["is_secret"] is False for entries in found.values() for entry in entries)
    assert set(found) <= set(FILES)


@pytest.mark.parametrize(
    ("text", "noticed"),
    [('token = "%s"', True), ("postgres://someone:%s@host/db", True), ("no%.0s secret", False)],
)
def test_a_new_secret_is_noticed(text: str, noticed: bool, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(text % tokens.generate("sig", tokens.Environment.LIVE) + "\n")

    assert _hook(planted, folder=tmp_path) == int(noticed)
