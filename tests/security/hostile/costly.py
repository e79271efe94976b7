"""Texts whose processing time grows faster than their size, if processed before a size check."""

from itertools import cycle, islice
from typing import Final

#: What is repeated, after what begins the text. Django, allauth and the standard library normalize,
#: fold, split, parse and search; each of these was slow for somebody.
_PARTS: Final = {
    "combining marks": ("a", "\u0315\u0300"),
    "marks of one class": ("a", "\u0300"),
    "marks in an address": ("//a", "\u0315\u0300"),
    "decomposed Hangul": ("", "\u1112\u1161\u11ab"),
    "growing when decomposed": ("", "\ufdfa"),
    "growing when folded": ("", "\u0390\u1f52"),
    "invisible joiners": ("a", "\u200d"),
    "beginnings of secrets": ("", "sig_live_"),
    "nearly secrets": ("", "sig_live_abc "),
    "letters of a brand": ("", "abcdefghijklmnop1"),
    "blanks": ("x", " "),
    "lines": ("x", "\n"),
    "digits": ("", "9"),
    "zeros": (".", "0"),
    "dots": ("a@", "a."),
    "signs of addresses": ("", "a@"),
    "quotes": ("", "'\"\\"),
    "brackets": ("", "["),
    "objects": ("", '{"a":'),
    "links": ("", "/invitations/"),
    "parameters": ("text/plain", ';a="'),
    "guesses": ("", "passwordadmin"),
}
#: Those that a request is tried with in each of its fields; functions are tried with all.
_WORST: Final = (
    *("combining marks", "marks in an address", "growing when decomposed"),
    *("beginnings of secrets", "blanks", "zeros", "objects"),
)
#: What people send when they mean well, as large: letters, words, a text and the blanks after it.
_HARMLESS: Final = {"letters": ("", "x"), "words": ("", "some words "), "blanks": ("x", " ")}


def filled(start: str, part: str, size: int) -> str:
    """`start` and then `part` again and again: at most `size` bytes of UTF-8."""
    characters = islice(cycle(part), size)
    text = start + "".join(characters)
    return text.encode()[:size].decode("utf-8", "ignore")


def costly(size: int) -> dict[str, str]:
    """Hostile texts of `size` bytes by name."""
    return {name: filled(start, part, size) for name, (start, part) in _PARTS.items()}


def worst(size: int) -> dict[str, str]:
    """The few of them that a request is tried with."""
    return {name: filled(*_PARTS[name], size) for name in _WORST}


def harmless(size: int) -> list[str]:
    """Ordinary texts of `size` bytes."""
    return [filled(start, part, size) for start, part in _HARMLESS.values()]
