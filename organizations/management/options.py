"""Validation of command arguments."""

from argparse import ArgumentTypeError


def not_empty(text: str) -> str:
    """For argparse's `type`: rejects the empty value of an unset shell variable."""
    if not text.strip():
        raise ArgumentTypeError("the value is empty. Set it, or omit the option if it is optional.")
    return text
