"""Product code, pages, emails and scripts avoid words that have a plainer replacement."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from config.env import ROOT

PACKAGES: Final = ("core", "organizations", "apikeys", "config")
#: Folder → endings of the files that users read, or that say something to them.
SHOWN: Final = {"templates": ("html", "txt"), "static/js": ("js",)}
#: Words with a plainer replacement, such as “again” for “anew”.
AVOIDED: Final = re.compile(
    r"\b("
    r"whoever|whatever|somebody|nobody|anybody|beside|anew|patience|lanes|ledger|trail"
    r"|withdraw\w*|answers?|of ours|at once|by itself|by themselves|as many as|be it|look into"
    r"|(?:is|are|was|were) no(?! (?:longer|more)\b)|(?:is|are) told|that (?:is|are) there"
    r"|go(?:es)? on working"
    r")\b",
    re.IGNORECASE,
)
#: One word for one thing: email, sign in and sign out.
AVOIDED_ON_PAGES: Final = re.compile(r"\b(e-mails?|log(?:ged)? (?:in|out))\b", re.IGNORECASE)
#: Names in the database, in cursors and in generated clients, which stay.
STORED: Final = (
    '"trail.addresses_erased"',
    '"trail addresses erased"',
    "class Trail:",
    "Trail()",
    'salt=f"trail:',
    '"trail": "clock"',
    '{noun}Answer"',
)


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in file.parts:
                yield file


def _shown_files() -> Iterator[Path]:
    for folder, endings in SHOWN.items():
        for ending in endings:
            yield from sorted((ROOT / folder).rglob(f"*.{ending}"))


def _avoided_in(text: str, avoided: re.Pattern[str] = AVOIDED) -> list[str]:
    for name in STORED:
        text = text.replace(name, "")
    return [match[0] for match in avoided.finditer(text)]


def _found_in(files: Iterable[Path], avoided: re.Pattern[str]) -> dict[str, list[str]]:
    return {
        f"{file.relative_to(ROOT)}:{number}": words
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if (words := _avoided_in(line, avoided))
    }


def test_product_code_avoids_these_words() -> None:
    files = list(_files())

    assert len(files) > 100
    assert _found_in(files, AVOIDED) == {}


def test_pages_emails_and_scripts_avoid_these_words() -> None:
    files = list(_shown_files())

    assert len(files) > 100
    assert _found_in(files, AVOIDED) == {}
    assert _found_in(files, AVOIDED_ON_PAGES) == {}


def test_avoided_words_are_found() -> None:
    assert _avoided_in("Whoever asks is told at once.") == ["Whoever", "is told", "at once"]
    assert _avoided_in("The key is no longer valid; besides, it is trailing.") == []
    assert _avoided_in('ADDRESSES_ERASED = "trail.addresses_erased"') == []
