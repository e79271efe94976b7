"""Writes the bill of materials (CycloneDX): pinned packages, and vendored files of `static`.

`bill_of_materials.py TARGET`. It fails if a file of `static/vendor` is not in
`requirements/vendored.json`, or is not the file that is named there.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
VENDORED: Final = ROOT / "requirements/vendored.json"
#: Texts about the files, such as licenses, are no components.
_TEXTS: Final = (".txt", ".md")


def vendored_files() -> set[str]:
    """Scripts, fonts, icons and styles of other people, relative to the root."""
    files = (ROOT / "static/vendor").rglob("*")
    return {str(f.relative_to(ROOT)) for f in files if f.is_file() and f.suffix not in _TEXTS}


def component(entry: dict[str, str]) -> dict[str, Any]:
    """An entry of `vendored.json` as CycloneDX has it; exits if the file is another one."""
    path = entry["path"]
    found = hashlib.sha256((ROOT / path).read_bytes()).hexdigest()
    if found != entry["sha256"]:
        sys.exit(f"{path} has the SHA-256 {found}, and {VENDORED.name} says {entry['sha256']}.")
    return {
        "type": "library",
        "bom-ref": f"vendored-{path}",
        "name": entry["name"],
        "version": entry["version"],
        "purl": entry["purl"],
        "licenses": [{"license": {"id": entry["license"]}}],
        "hashes": [{"alg": "SHA-256", "content": found}],
        "externalReferences": [{"type": "vcs", "url": entry["source"]}],
        "properties": [{"name": "latchkey:path", "value": path}],
    }


def main(target: Path) -> None:
    """Writes the bill to `target`; exits with a message if it would not be whole."""
    entries = json.loads(VENDORED.read_text(encoding="utf-8"))
    listed = {entry["path"] for entry in entries}
    if listed != vendored_files():
        names = ", ".join(sorted(listed ^ vendored_files()))
        sys.exit(f"{VENDORED.name} and static/vendor do not list the same files: {names}")
    command = [
        *(str(Path(sys.executable).with_name("cyclonedx-py")), "requirements"),
        *("--pyproject", "pyproject.toml", "--output-reproducible", "--output-format", "JSON"),
        *("--output-file", str(target.absolute()), "requirements/base.txt"),
    ]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603
    bill = json.loads(target.read_text(encoding="utf-8"))
    bill["components"] += [component(entry) for entry in entries]
    bill["dependencies"] += [{"ref": f"vendored-{entry['path']}"} for entry in entries]
    target.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
