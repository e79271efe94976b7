"""Names that are shown in emails to strangers: which are allowed, and how emails show them."""

import re
import unicodedata
from typing import Final

from core.exceptions import Invalid
from core.text import clean_name

#: Maximum length of a name in an email.
SHOWN: Final = 60
#: URL schemes that work without a host.
_SCHEMES: Final = (
    "https?|ftps?|file|mailto|tel|callto|sms|smsto|mms|mmsto|facetime(?:-audio)?|imessage|skype"
    "|sips?|xmpp|ircs?|whatsapp|tg|viber|sgnl|geo|maps|market|intent|itms(?:-\\w+)?|ms-[a-z-]+"
    "|search-ms|webcal|magnet|bitcoin|javascript|vbscript|data|blob|view-source"
)
_IPV4: Final = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}"
_IPV6: Final = r"\[[\da-f.]*:[\da-f:.]*\]"
_HOST: Final = rf"(?:\w\.(?:[^\W\d_]{{2,}}|xn--[\w-]+)|{_IPV4}|{_IPV6})"
#: Text that email programs turn into a link: a URL, a host or an IP address with a path or a port,
#: an email address. A bare host such as “Booking.com” may be a name; `text_for_email` keeps
#: programs from linking it.
_LINK: Final = re.compile(
    rf"://|\bwww\.|\b(?:{_SCHEMES}):\S|\b[a-z][\w.+-]{{0,30}}:(?:\+\d|\S*\?\w+=)"
    rf"|{_HOST}[/:?#]\w|\S@\S+\.\w",
    re.IGNORECASE,
)
#: Characters that browsers read as the dot of a host name (UTS 46).
_DOTS: Final = ".\u3002\uff0e\uff61\u2024\ufe52"
_DOT_IN_HOST: Final = re.compile(
    rf"(?<=\w)[{_DOTS}](?=[^\W\d_])|(?<=\d)[{_DOTS}](?=\d{{1,3}}[{_DOTS}]\d)"
)
#: WORD JOINER: invisible, and keeps programs from recognizing a host. It can't disguise one:
#: browsers drop it from pasted text and open the host that the reader saw.
_JOINER: Final = "\u2060"
_REMOVED: Final = "[link removed]"


def clean_mailed_name(value: str, field: str = "name") -> str:
    """Like `clean_name`, but also rejects names with a link."""
    name = clean_name(value, field)
    if holds_link(name):
        raise Invalid.field(field, "Remove the link or email address: this is for a name.")
    return name


def holds_link(text: str) -> bool:
    """Whether `text` contains a URL or an email address, in any kind of letters and dots."""
    return bool(_LINK.search(unicodedata.normalize("NFKC", _plain(text))))


def text_for_email(text: str, length: int = SHOWN) -> str:
    """Text from a stranger, made safe for an email: one line, cut to `length`, no links.

    Names stored before links were rejected can contain one, and so can user agents.
    """
    words = "".join(c if c.isprintable() else " " for c in text[: 4 * length]).split()
    kept = " ".join(_REMOVED if holds_link(word) else word for word in words)
    cut = kept if len(kept) <= length else kept[: length - 1].rstrip() + "…"
    return _DOT_IN_HOST.sub(rf"\g<0>{_JOINER}", cut)


def _plain(text: str) -> str:
    """Text as browsers read a host: without invisible characters, with full stops for dots."""
    seen = (c for c in text if unicodedata.category(c) != "Cf")
    return "".join("." if c in _DOTS else c for c in seen)
