"""Counts characters as people do: grapheme clusters (UAX #29), like `Intl.Segmenter` in browsers.

Python's `unicodedata` has no data for this. These rules match browsers for all text in common use;
`tests/browser/test_characters.py` compares them.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

_ZWJ: Final = 0x200D
_REGIONAL: Final = range(0x1F1E6, 0x1F200)
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_TAGS: Final = range(0xE0020, 0xE0080)
#: Letters that attach to the one before: Thai and Lao vowels, half-width Japanese marks, ZWNJ.
_HANGING: Final = frozenset({0x200C, 0x0E33, 0x0EB3, 0xFF9E, 0xFF9F})
_BEFORE_NUMBERS: Final = frozenset({*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2})
#: Signs that join two consonants in Devanagari, Bengali, Gujarati, Odia, Telugu and Malayalam.
_VIRAMAS: Final = frozenset({0x94D, 0x9CD, 0xACD, 0xB4D, 0xC4D, 0xD4D})
_PUNCTUATION_EMOJI: Final = frozenset({0x203C, 0x2049, 0x2139, 0x3030, 0x303D})
_MARKS: Final = ("Mn", "Me", "Mc")


def count(text: str) -> int:
    """The number of grapheme clusters."""
    if text.isascii() and "\r\n" not in text:
        return len(text)
    return sum(1 for _ in _beginnings(text))


def first(text: str, most: int) -> str:
    """The first `most` grapheme clusters of the text."""
    if len(text) <= most:
        return text
    ends = (at for number, at in enumerate(_beginnings(text)) if number == most)
    return text[: next(ends, len(text))]


def _beginnings(text: str) -> Iterator[int]:
    """The index at which each character starts."""
    start = 0
    for at in range(len(text)):
        if at == 0 or not _continues(text, start, at):
            start = at
            yield at


def _continues(text: str, start: int, at: int) -> bool:
    """Whether the code point at `at` belongs to the character that starts at `start`."""
    before, code = ord(text[at - 1]), ord(text[at])
    if before == 0x0D and code == 0x0A:
        return True
    if _is_control(before) or _is_control(code):
        return False
    if _hangs(code) or before in _BEFORE_NUMBERS:
        return True
    if before == _ZWJ:
        return _is_pictograph(code) and _is_pictograph(_base(text, start, at))
    if code in _REGIONAL:  # flags are pairs
        return before in _REGIONAL and (at - start) % 2 == 1
    return _is_hangul_pair(before, code) or _is_conjunct(text, start, at)


def _is_control(code: int) -> bool:
    if code == _ZWJ or code in _HANGING or code in _TAGS or code in _BEFORE_NUMBERS:
        return False
    return unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _hangs(code: int) -> bool:
    """Marks, joiners, skin tones, and the tags in flags of regions."""
    if code == _ZWJ or code in _HANGING or code in _SKIN_TONES or code in _TAGS:
        return True
    return unicodedata.category(chr(code)) in _MARKS


def _base(text: str, start: int, at: int) -> int:
    """The last code point before `at` that doesn't attach to another one."""
    for place in range(at - 1, start - 1, -1):
        if not _hangs(code := ord(text[place])):
            return code
    return 0


def _is_pictograph(code: int) -> bool:
    if code in _REGIONAL or code in _SKIN_TONES:
        return False
    symbol = unicodedata.category(chr(code)) in ("So", "Sm")
    return symbol or 0x1F000 <= code < 0x1FB00 or code in _PUNCTUATION_EMOJI


def _hangul(code: int) -> str:
    """The Hangul syllable type: L, V, T, LV or LVT. Empty for other code points."""
    if 0xAC00 <= code <= 0xD7A3:
        return "LV" if (code - 0xAC00) % 28 == 0 else "LVT"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    return "T" if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB else ""


def _is_hangul_pair(before: int, code: int) -> bool:
    left, right = _hangul(before), _hangul(code)
    if left == "L":
        return right in ("L", "V", "LV", "LVT")
    if left in ("LV", "V"):
        return right in ("V", "T")
    return left in ("LVT", "T") and right == "T"


def _is_conjunct(text: str, start: int, at: int) -> bool:
    """Whether a virama joins the consonant at `at` to the one before."""
    code, block = ord(text[at]), ord(text[at]) >> 7
    if not 0x12 <= block <= 0x1A or not _is_consonant(code):
        return False
    joined = False
    for place in range(at - 1, start - 1, -1):
        before = ord(text[place])
        if not _hangs(before):
            return joined and _is_consonant(before) and before >> 7 == block
        joined = joined or before in _VIRAMAS
    return False


def _is_consonant(code: int) -> bool:
    return 0x15 <= code & 0x7F <= 0x39 or 0x58 <= code & 0x7F <= 0x5F
