"""Product code avoids words that have a plainer replacement.

Add a package to PACKAGES once it has been rewritten.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from config.env import ROOT

#: Packages and modules that have been rewritten.
PACKAGES: Final = (
    "core",
    "organizations",
    "config",
    "apikeys/admin",
    "apikeys/guide",
    "apikeys/management",
    "apikeys/models",
    "apikeys/ratelimits",
    "apikeys/services",
    "apikeys/usage",
    "apikeys/verification",
    *(
        f"apikeys/{name}.py"
        for name in (
            "apps",
            "conf",
            "events",
            "forms",
            "personal_data",
            "retention",
            "scopes",
            "tokens",
            "triggers",
            "validation",
        )
    ),
)
#: Names and messages in these files are not rewritten yet.
LATER: Final = (
    "apikeys/guide/errors.py",
    "apikeys/ratelimits/limiter.py",
    "apikeys/ratelimits/redis_budget.py",
    "apikeys/usage/reports.py",
    "apikeys/verification/key_cache.py",
    "config/postgresql/connection.py",
    "organizations/admin/base.py",
)
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
#: Names in the database, which stay.
STORED: Final = ('"trail.addresses_erased"', "class Trail:", "Trail()")


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        path = ROOT / package
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and not name.startswith(LATER):
                yield file


def _avoided_in(text: str) -> list[str]:
    for name in STORED:
        text = text.replace(name, "")
    return [match[0] for match in AVOIDED.finditer(text)]


def test_product_code_avoids_these_words() -> None:
    files = list(_files())
    found = {
        f"{file.relative_to(ROOT)}:{number}": words
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if (words := _avoided_in(line))
    }

    assert len(files) > 100
    assert found == {}


def test_avoided_words_are_found() -> None:
    assert _avoided_in("Whoever asks is told at once.") == ["Whoever", "is told", "at once"]
    assert _avoided_in("The key is no longer valid; besides, it is trailing.") == []
    assert _avoided_in('ADDRESSES_ERASED = "trail.addresses_erased"') == []
