"""Standard output of commands: what can't be delivered is noticed before the command ends."""

import io
import sys
from contextlib import suppress
from typing import Any

from django.core.management.base import OutputWrapper


class OutputLost(OSError):
    """Standard output could not be written: a full disk, or a pipe without a reader."""


class Output(io.FileIO):
    """A descriptor that raises OutputLost once, and from then on drops what it is given.

    What is still in a buffer can't fail again when the process ends, nor arrive after all.
    """

    #: How the standard output of this process was lost.
    loss: OutputLost | None = None

    def write(self, data: Any, /) -> int:
        """Writes all or a part, as FileIO does."""
        if Output.loss:
            return len(data)
        try:
            return super().write(data) or 0
        except OSError as error:
            Output.loss = OutputLost(error.errno, error.strerror)
            raise Output.loss from None


def show(output: OutputWrapper, text: str) -> None:
    """Writes text that the command exists for. OutputLost if it could not be delivered."""
    try:
        output.write(text)
        output.flush()
    except (OSError, ValueError) as error:  # ValueError: a stream that is closed
        raise OutputLost(*error.args) from None
    if Output.loss:
        raise Output.loss


def report(output: OutputWrapper, text: str) -> None:
    """Writes what was done. It is done whether or not it can be written, so nothing is raised."""
    try:
        show(output, text)
    except OutputLost as loss:
        note(f"{text}\n(On standard error, since standard output could not be written: {loss})")


def note(text: str) -> None:
    """Writes to standard error, if that is possible."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
