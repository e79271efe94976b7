"""CSV downloads, streamed while the rows are read. Bulkheads limit how many run at a time.

Excel, LibreOffice and Google Sheets open the files without conversion: they start with a byte order
mark, all cells are quoted, and text that could be a formula is escaped for any separator.
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
#: Lines sent at a time: about 10 KB, which take about 10 ms.
_PIECE: Final = 100
#: After each piece or query an export sleeps this many times as long as it took, to leave CPU time
#: to other requests.
_REST: Final = 5
#: The longest sleep, in seconds.
_LONGEST_REST: Final = 0.1
#: Without a byte order mark, Excel uses the computer's code page.
_BOM: Final = "\ufeff"
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
#: Characters that end a cell in some programs.
_SEPARATORS: Final = ",;|\t\r\n"
#: Start of a cell, with the spaces and quotes that spreadsheets skip before a formula.
_START: Final = re.compile(r"\A[\s\",;|\u200b\ufeff]*|[\s\",;|\u200b\ufeff]+")


class HeldLines:
    """Lines of a response. Releases the place when they are exhausted, fail or are closed."""

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
        """Called by the server after the response, even if the client has disconnected."""
        self._place.release()


def paced(items: Iterable[T]) -> Iterator[T]:
    """The items, with a sleep after each that is proportional to the time it took."""
    began = time.monotonic()
    for item in items:
        yield item
        time.sleep(min(_LONGEST_REST, _REST * (time.monotonic() - began)))
        began = time.monotonic()


def cell(text: str) -> str:
    """Adds an apostrophe where a spreadsheet could read the text, or a part, as a formula.

    A program that uses another separator reads parts as separate cells, despite the quotes.
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
    """A file whose `write` returns its argument."""

    def write(self, line: str) -> str:
        return line


def lines(rows: Iterable[Sequence[str | int]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    mark = _BOM
    for row in rows:
        cells = [cell(value) if isinstance(value, str) else value for value in row]
        yield f"{mark}{writer.writerow(cells)}"
        mark = ""


def begin_export(organization: Organization, *, what: str, actor: Actor) -> Place:
    """Takes a place and records the export before any line is sent. Raises Busy if none is free."""
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
    """The rows as a download, the header first. Holds the place until it is closed."""
    return StreamingHttpResponse(
        HeldLines(lines(rows), place),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
