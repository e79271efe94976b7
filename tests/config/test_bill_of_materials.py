"""The bill of materials lists every pinned package and every third-party file in `static`."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.env import ROOT

SCRIPT = ".ci/bill_of_materials.py"
#: What of `static` may have been made by others, wherever it is.
FOREIGN = {".woff", ".woff2", ".ttf", ".otf", ".eot", ".ico", ".png", ".jpg", ".gif", ".map"}
#: Drawn for this project.
OWN = {"static/favicon.ico"}

#: An entry of `vendored.json` for a file that only these tests have.
EXAMPLE = {
    "name": "example",
    "version": "1.0.0",
    "license": "MIT",
    "purl": "pkg:npm/example@1.0.0",
    "source": "https://code.example/example",
    "path": "static/vendor/example-1.0.0.min.js",
}


def _write(target: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, str(target)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("bill") / "sbom.json"
    run = _write(target)
    assert run.returncode == 0, run.stderr
    written: dict[str, Any] = json.loads(target.read_text())
    return written


def _vendored(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        item["value"]: found
        for found in bill["components"]
        for item in found.get("properties", [])
        if item["name"] == "latchkey:path"
    }


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the script reads, with one vendored file, to be changed."""
    for folder in (".ci", "requirements", "static"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    script = tmp_path / EXAMPLE["path"]
    script.parent.mkdir(exist_ok=True)
    script.write_text("made by others")
    (script.parent / "example-LICENSE.txt").write_text("Do what you like.")
    listed = json.loads((ROOT / "requirements/vendored.json").read_text())
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    entries = [*listed, {**EXAMPLE, "sha256": digest}]
    (tmp_path / "requirements/vendored.json").write_text(json.dumps(entries))
    return tmp_path


def test_it_names_every_package(bill: dict[str, Any]) -> None:
    others = {found["bom-ref"] for found in _vendored(bill).values()}
    packages = [found for found in bill["components"] if found["bom-ref"] not in others]
    named = {f"{found['name']}=={found['version']}" for found in packages}
    required = (ROOT / "requirements/base.txt").read_text()
    lines = re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", required, re.MULTILINE)

    assert named == {f"{name}=={version}" for name, version in lines}
    assert len(lines) > 30


def test_it_names_every_vendored_file_with_version_and_hash(copy: Path, tmp_path: Path) -> None:
    run = _write(tmp_path / "sbom.json", copy)
    assert run.returncode == 0, run.stderr
    found = _vendored(json.loads((tmp_path / "sbom.json").read_text()))
    vendor = copy / "static/vendor"
    files = {f for f in vendor.rglob("*") if f.is_file() and f.suffix not in (".txt", ".md")}

    assert set(found) == {str(f.relative_to(copy)) for f in files}
    for file in files:
        part = found[str(file.relative_to(copy))]
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert part["hashes"] == [{"alg": "SHA-256", "content": digest}]
        assert part["version"] in file.name
        assert part["purl"].endswith(f"@{part['version']}")
        assert part["licenses"][0]["license"]["id"]


def test_files_of_others_are_in_the_vendored_folder_alone() -> None:
    elsewhere = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "static").rglob("*")
        if "vendor" not in file.parts and (file.suffix in FOREIGN or ".min." in file.name)
    }

    assert elsewhere == OWN


def test_references_of_the_bill_are_unique_and_known(bill: dict[str, Any]) -> None:
    names = [found["bom-ref"] for found in bill["components"]]

    assert len(names) == len(set(names))
    assert set(names) <= {part["ref"] for part in bill["dependencies"]}


@pytest.mark.parametrize("name", ["other-1.0.0.min.js", "fonts/other.woff2", "other.svg"])
def test_a_vendored_file_that_is_not_listed_fails(name: str, copy: Path, tmp_path: Path) -> None:
    (copy / "static/vendor" / name).parent.mkdir(exist_ok=True)
    (copy / "static/vendor" / name).write_text("made by others")

    run = _write(tmp_path / "sbom.json", copy)

    assert run.returncode == 1
    assert run.stderr.strip().endswith(f"do not list the same files: static/vendor/{name}")


def test_a_listed_file_that_is_gone_fails(copy: Path, tmp_path: Path) -> None:
    (copy / EXAMPLE["path"]).unlink()

    run = _write(tmp_path / "sbom.json", copy)

    assert run.returncode == 1
    assert f"do not list the same files: {EXAMPLE['path']}" in run.stderr


def test_a_file_that_was_changed_fails(copy: Path, tmp_path: Path) -> None:
    (copy / EXAMPLE["path"]).write_text("changed by others")

    run = _write(tmp_path / "sbom.json", copy)

    assert run.returncode == 1
    assert f"{EXAMPLE['path']} has the SHA-256" in run.stderr
