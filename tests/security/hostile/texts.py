"""Malicious texts for names, descriptions, email addresses, dates and IDs."""

from typing import Final

from tests.security.hostile.costly import worst

TEXTS: Final = [
    "", " ", "\t", "\n", "\x00", "a\x00b", "\x07", "a\x1bb", "\x7f", "a\x85b", "\ufeff", "\ufffe",
    "\u200b", "\u200d", "\u202eb", "\u2066a\u2069", "\u061c", "\u2028", "\u00a0", "\u3000",
    "e\u0301", "\u0301" * 200, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "ſearch", "İ", "ﬁ",
    "x" * 101, "x" * 501, "x" * 60_000, "'", '"', "' OR 1=1 --", "\\", "%", "%s", "%(name)s", "{}",
    "{0}", "{{ 7 }}", "{% debug %}", "${7}", "$(id)", "`id`", "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "=1+1", "@SUM(1)", "-1", "+1", "0",
    "9" * 5_000, "1e400", "NaN", "null", "true", "[]", "{}", "../../etc/passwd", "a\r\nBcc: b@c.d",
    "a@b", "a@b.example\x00", "a@" + "b" * 300 + ".example", "\xe9@\xfc.example", "a@[127.0.0.1]",
    "2027-02-30", "0001-01-01", "9999-12-31", "2027-01-31T12:00:00", "2027-01-31T12:00:00+14:00",
    "10000-01-01", "00000000-0000-0000-0000-000000000000", "1" * 36, "key_zzzzzzzzzzzzzzzzzzzzzz",
    "sa_" + "z" * 22, "\u0661", "\uff11", "search:read\x00", "*", "__proto__", "sig_live_", "鍵",
    *worst(30_000).values(),
]  # fmt: skip
