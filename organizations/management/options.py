"""Checks on the arguments of commands."""

from argparse import ArgumentTypeError


def not_empty(text: str) -> str:
    """For argparse's `type`: an unset shell variable must not pass for an option left out."""
    if not text.strip():
        raise ArgumentTypeError("the value is empty. Give one, or leave the option out if you can.")
    return text
