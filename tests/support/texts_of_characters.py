"""Texts for what counts characters: each with the number that people see."""

from typing import Final

SAMPLES: Final[tuple[tuple[str, int], ...]] = (
    ("", 0),
    ("plain", 5),
    ("e\u0301\u0323x", 2),
    ("👍🏽", 1),
    ("👨‍👩‍👧‍👦", 1),
    ("👩🏿‍⚕️👩🏿‍⚕️", 2),
    ("🇩🇪🇫🇷🇯🇵", 3),
    ("🇩🇪🇫", 2),
    ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
    ("❤️‍🔥1️⃣", 2),
    ("각각", 2),
    ("\u1100\u1161\u11a8\u1100", 2),
    ("กำนำ", 2),
    ("क्षि", 1),
    ("a\r\nb\n", 4),
    ("a\u200db", 2),
    ("\u200d", 1),
    ("한국어 日本語", 7),
    ("שָׁלוֹם", 4),
    ("مرحبا", 5),
    ("a\u200bb", 3),
    ("\U0001f600\u0308", 1),
)
