"""CSV files in common programs: encoding, separators and formulas."""

import csv
import re
import shutil
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apikeys.models import KeyUsage
from apikeys.pages.csv_export import cell
from apikeys.pages.urls import urlpatterns
from apikeys.services import Issued
from organizations.models import Organization
from tests.pages.support import developer

FILES = {
    "activity-csv": "activity/export/?kind=api_key",
    "keys-csv": "keys/export/",
    "usage-csv": "usage/export/?range=30d",
}
EVIL = [
    "a;=HYPERLINK(1)",
    "a,=HYPERLINK(1)",
    "a|=HYPERLINK(1)",
    'a;"=HYPERLINK(1)',
    "a; =HYPERLINK(1)",
    "a;\u3000@SUM(1)",
    "a,;+1",
    "=1;-1,@x",
    'x","=1',
    'x";"=1',
]
FORMULA = ("=", "+", "-", "@")

Download = Callable[[str], bytes]


@pytest.fixture
def download(browser: Client, acme: Organization) -> Download:
    def get(name: str) -> bytes:
        content: bytes = browser.get(developer(acme, FILES[name])).getvalue()
        return content

    return get


def _called(make_key: Callable[..., Issued], name: str) -> None:
    """A key of this name, with an event and a request."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    KeyUsage.objects.create(key=make_key(name=name).key, hour=hour, result="ok", requests=1)


def _read_as_excel(text: str, separator: str) -> list[str]:
    """All cells, as a reader sees them that splits at `separator` and drops a field's quotes.

    Like a program that takes a quote for one only where a cell begins.
    """
    rows = csv.reader(StringIO(text, newline=""), delimiter=separator)
    return [found.strip(' "\u3000\u200b') for row in rows for found in row]


@pytest.mark.parametrize("file", FILES)
def test_it_begins_with_the_mark_of_utf_8(
    file: str, download: Download, make_key: Callable[..., Issued]
) -> None:
    _called(make_key, "Zoë’s Schlüssel")

    content = download(file)

    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\xef\xbb\xbf") == 1
    assert "Zoë’s Schlüssel" in content.decode("utf-8-sig")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", ["a;b", "a,b", "a|b", 'a"b', "007", "plain"])
def test_every_cell_is_quoted(
    file: str, name: str, download: Download, make_key: Callable[..., Issued]
) -> None:
    _called(make_key, name)

    lines = download(file).decode("utf-8-sig").splitlines()

    whole = re.compile(r'"(?:[^"]|"")*"(?:,"(?:[^"]|"")*")*')
    assert [line for line in lines if not whole.fullmatch(line)] == []
    assert name in {found for row in csv.reader(lines) for found in row}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", EVIL)
def test_no_reader_sees_a_formula(
    file: str, separator: str, name: str, download: Download, make_key: Callable[..., Issued]
) -> None:
    _called(make_key, name)

    cells = _read_as_excel(download(file).decode("utf-8-sig"), separator)

    assert [found for found in cells if found.startswith(FORMULA)] == []


@pytest.mark.parametrize("name", EVIL)
def test_without_the_apostrophes_the_text_is_what_it_was(name: str) -> None:
    assert cell(name).replace("'", "") == name


@pytest.mark.parametrize("text", ["a-b", "1 + 1 = 2", "ada@acme.example", "", "a, b; c", "x=1"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("file", FILES)
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_opens_it(
    file: str, download: Download, make_key: Callable[..., Issued], tmp_path: Path
) -> None:
    _called(make_key, "Zoë;=1+1")
    (tmp_path / "export.csv").write_bytes(download(file))

    convert = ["soffice", "--headless", "--convert-to", "fods", "export.csv"]
    subprocess.run(convert, cwd=tmp_path, check=True, timeout=120, capture_output=True)

    sheet = (tmp_path / "export.fods").read_text(encoding="utf-8")
    assert "Zoë;" in sheet
    assert "table:formula" not in sheet


def test_every_file_of_the_product_is_looked_at() -> None:
    """Files are made by `csv_export` alone, and each URL of one has a row here."""
    named = {pattern.name for pattern in urlpatterns if "export" in str(pattern.pattern)}
    named.remove("organization-export")  # JSON, see test_organization_export
    makers = [
        str(path.relative_to(settings.BASE_DIR))
        for folder in ("apikeys", "core", "organizations", "config")
        for path in Path(settings.BASE_DIR, folder).rglob("*.py")
        if re.search(r"^import csv|csv\.writer|text/csv", path.read_text(), re.MULTILINE)
    ]

    assert named == set(FILES)
    assert makers == ["apikeys/pages/csv_export.py"]
