"""CSV that is sent while it is read, by as many threads as bulkheads allow.

Excel, LibreOffice and Google Sheets open it as it is: it begins with the mark of UTF-8, every cell
is quoted, and no cell nor part of one that a reader with another separator sees is a formula.
"""

import csv
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Self, TypeVar

from django.http import StreamingHttpResponse

from core.actors import Actor
from core.bulkheads import Place
from organizations import services
from organizations.models import Organization

T = TypeVar("T")
#: Lines that are sent at a time: some ten kilobytes, which take some ten milliseconds.
_PIECE: Final = 100
#: For how many times as long as a piece or a query takes an export rests after it, which leaves the
#: processor to others; and the longest rest in seconds.
_REST: Final = 5
_LONGEST_REST: Final = 0.1
#: Excel reads a file without it in the code page of the computer.
_BOM: Final = "\ufeff"
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
#: What ends a cell for some reader.
_SEPARATORS: Final = ",;|\t\r\n"
#: A start of cells, with the spaces and quotes that spreadsheets skip in front of a formula.
_START: Final = re.compile(r"\A[\s\",;|\u200b\ufeff]*|[\s\",;|\u200b\ufeff]+")


class HeldLines:
    """Lines of a response; the place is given back when they end, fail or are closed."""

    def __init__(self, lines: Iterator[str], place: Place) -> None:
        self._lines = paced(iter(lambda: "".join(islice(lines, _PIECE)), ""))
        self._place = place

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        try:
            return next(self._lines)
        except BaseException:
            self._place.release()
            raise

    def close(self) -> None:
        """What the server calls at the end of the response, also when its client has gone."""
        self._place.release()


def paced(items: Iterable[T]) -> Iterator[T]:
    """The items, with a rest after each that is as long as the work for it deserves."""
    began = time.monotonic()
    for item in items:
        yield item
        time.sleep(min(_LONGEST_REST, _REST * (time.monotonic() - began)))
        began = time.monotonic()


def cell(text: str) -> str:
    """The text with an apostrophe where a spreadsheet could take it, or a part, for a formula.

    A reader that splits at another separator sees parts as cells of their own, quotes or not.
    """
    return _START.sub(_guarded, text)


def _guarded(start: re.Match[str]) -> str:
    text, leads = start[0], start.start() == 0
    if not start.string.startswith(_FORMULA, start.end()):
        return f"'{text}" if leads and text.startswith(("\t", "\r", "\n")) else text
    position = 1 + max(text.rfind(separator) for separator in _SEPARATORS)
    before = "'" if leads and position else ""
    return f"{before}{text[:position]}'{text[position:]}" if leads or position else text


class _Echo:
    """A file whose `write` returns what it is given."""

    def write(self, line: str) -> str:
        return line


def lines(rows: Iterable[Sequence[str | int]]) -> Iterator[str]:
    """The rows as lines of CSV."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    mark = _BOM
    for row in rows:
        cells = [cell(value) if isinstance(value, str) else value for value in row]
        yield f"{mark}{writer.writerow(cells)}"
        mark = ""


def begin_export(organization: Organization, *, what: str, actor: Actor) -> Place:
    """A place for an export, which is recorded before the first line is sent."""
    place = Place("export", organization.id)
    try:
        services.record_export(organization, what=what, actor=actor)
    except BaseException:
        place.release()
        raise
    return place


def csv_response(
    place: Place, rows: Iterable[Sequence[str | int]], filename: str
) -> StreamingHttpResponse:
    """The file as a download, which has a place until it is closed; its first row is the header."""
    return StreamingHttpResponse(
        HeldLines(lines(rows), place),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
