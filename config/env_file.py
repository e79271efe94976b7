"""Reads a settings file such as `.env`. Rejects lines that django-environ would skip or print.

A skipped DATABASE_URL would mean SQLite, and a printed line can contain a secret.
"""

import re
from io import StringIO
from pathlib import Path
from typing import Final

import environ
from django.core.exceptions import ImproperlyConfigured

_BOM: Final = "\ufeff"
#: As django-environ reads it.
_ASSIGNMENT: Final = re.compile(r"(?:export )?[A-Za-z_0-9]+=(.*)")
#: The variable of a faulty line. Only names like our settings': other text may be a secret.
_NAME: Final = re.compile(rf"[{_BOM}\s]*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=")


def read(file: Path) -> None:
    """Adds the variables of `file` to the environment unless they are set."""
    lines = _text(file).splitlines()
    assignments = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            fault = _fault(line)
            if fault:
                named = _NAME.match(line)
                variable = f" ({named[1]})" if named else ""
                raise ImproperlyConfigured(f"{file}, line {number}{variable}: {fault}")
            assignments.append(line)
    environ.Env.read_env(StringIO("\n".join(assignments)))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ImproperlyConfigured(f"{file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{file} isn't UTF-8 text. Save it as UTF-8.") from None


def _fault(line: str) -> str:
    """What is wrong with a line that should be an assignment, and how to fix it."""
    if line.startswith(_BOM):
        return "save the file as UTF-8 without a byte order mark (BOM)."
    if "\0" in line:
        return "remove the null character."
    assignment = _ASSIGNMENT.fullmatch(line)
    if not assignment:
        return "write NAME=value, without spaces before the name or around “=”."
    value = assignment[1]
    if value != value.strip():
        return "remove the spaces around the value, or put it in quotes."
    if value[:1] in ("'", '"') and (len(value) == 1 or value[-1] != value[0]):
        return "close the quotes, with nothing after them on the line."
    return ""
