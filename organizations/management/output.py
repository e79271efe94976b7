"""Standard output of commands that reports failed writes."""

import io
import sys
from contextlib import suppress
from typing import Any

from django.core.management.base import OutputWrapper


class OutputLost(OSError):
    """Standard output could not be written: the disk is full or the pipe has no reader."""


class Output(io.FileIO):
    """A file descriptor that raises OutputLost once and then discards output.

    So buffered output neither fails again nor arrives late when the process exits.
    """

    #: The error of this process, if any.
    loss: OutputLost | None = None

    def write(self, data: Any, /) -> int:
        """Writes all or part of `data`, like FileIO."""
        if Output.loss:
            return len(data)
        try:
            return super().write(data) or 0
        except OSError as error:
            Output.loss = OutputLost(error.errno, error.strerror)
            raise Output.loss from None


def show(output: OutputWrapper, text: str) -> None:
    """Writes a command's result. Raises OutputLost if it could not be delivered."""
    try:
        output.write(text)
        output.flush()
    except (OSError, ValueError) as error:  # ValueError: the stream is closed
        raise OutputLost(*error.args) from None
    if Output.loss:
        raise Output.loss


def report(output: OutputWrapper, text: str) -> None:
    """Writes what a command did. Never raises, because it has already been done."""
    try:
        show(output, text)
    except OutputLost as loss:
        note(f"{text}\n(On standard error: standard output could not be written: {loss})")


def note(text: str) -> None:
    """Writes to standard error, ignoring errors."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
