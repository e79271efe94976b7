"""Standard streams of `manage.py`: decodes arguments and reports output that was lost."""

import codecs
import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from organizations.management.output import Output, OutputLost

_PLAIN: Final = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "–": "-", "—": "-"}
)


def run(command: Callable[[], None]) -> None:
    """Runs a command. An exit code of 0 means that it succeeded and its output was delivered."""
    code: str | int | None = 0
    try:
        _prepare()
        command()
    except OutputLost as loss:
        code = _lost(loss)
    except SystemExit as end:
        code = end.code
    try:
        sys.stdout.flush()
    except OutputLost as loss:
        code = code or _lost(loss)
    if code:
        sys.exit(code)


def _lost(loss: OutputLost) -> str:
    return f"Standard output could not be written: {loss}"


def _prepare() -> None:
    codecs.register_error("plain", _plain)
    _reserve_descriptors()
    sys.argv[1:] = [_readable(n, argument) for n, argument in enumerate(sys.argv[1:], 1)]
    old = sys.stdout
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(Output(old.fileno(), "w", closefd=False)),
        encoding=old.encoding,
        errors="plain",
        line_buffering=old.isatty(),
        write_through=getattr(old, "write_through", False),
    )
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="plain")


def _reserve_descriptors() -> None:
    """Keeps the numbers of closed standard streams from files such as the database.

    Writing to a closed standard output fails then; Python alone has no `sys.stdout` at all.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def _readable(number: int, argument: str) -> str:
    """Decodes bytes that the locale can't read as UTF-8; exits with 2 if they are not UTF-8."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        with suppress(UnicodeDecodeError):
            return os.fsencode(argument).decode()
        option = argument.partition("=")[0] if argument.startswith("--") else sys.argv[number - 1]
        place = f" ({option})" if option.startswith("--") and option.isascii() else ""
        sys.stderr.write(f"Argument {number}{place} is not UTF-8. Send it in UTF-8.\n")
        sys.exit(2)
    return argument


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: ASCII quotes and dashes or an escape for missing characters."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode(), error.end
