"""Names that go into emails to strangers: what they may hold, and how emails show them."""

import re
import unicodedata
from typing import Final

from core.exceptions import Invalid
from core.text import clean_name

#: Characters of a name that an email shows.
SHOWN: Final = 60
#: Schemes that open something without a host.
_SCHEMES: Final = (
    "https?|ftps?|file|mailto|tel|callto|sms|smsto|mms|mmsto|facetime(?:-audio)?|imessage|skype"
    "|sips?|xmpp|ircs?|whatsapp|tg|viber|sgnl|geo|maps|market|intent|itms(?:-\\w+)?|ms-[a-z-]+"
    "|search-ms|webcal|magnet|bitcoin|javascript|vbscript|data|blob|view-source"
)
_IPV4: Final = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}"
_IPV6: Final = r"\[[\da-f.]*:[\da-f:.]*\]"
_HOST: Final = rf"(?:\w\.(?:[^\W\d_]{{2,}}|xn--[\w-]+)|{_IPV4}|{_IPV6})"
#: What programs make a link of: a URL, a host or an IP address with a path or a port, an email
#: address. A bare host, such as in “Booking.com”, may be a name; emails keep programs from linking
#: it.
_LINK: Final = re.compile(
    rf"://|\bwww\.|\b(?:{_SCHEMES}):\S|\b[a-z][\w.+-]{{0,30}}:(?:\+\d|\S*\?\w+=)"
    rf"|{_HOST}[/:?#]\w|\S@\S+\.\w",
    re.IGNORECASE,
)
#: What browsers read as the dot of a host name (UTS 46).
_DOTS: Final = ".\u3002\uff0e\uff61\u2024\ufe52"
_DOT_IN_HOST: Final = re.compile(
    rf"(?<=\w)[{_DOTS}](?=[^\W\d_])|(?<=\d)[{_DOTS}](?=\d{{1,3}}[{_DOTS}]\d)"
)
#: WORD JOINER: shows nothing, and programs see no host where it is. It disguises none: a browser
#: drops it from what a reader pastes, and goes to the host that the reader has seen.
_JOINER: Final = "\u2060"
_REMOVED: Final = "[link removed]"


def clean_mailed_name(value: str, field: str = "name") -> str:
    """As `clean_name`, and without anything that reads as a link; Invalid otherwise."""
    name = clean_name(value, field)
    if holds_link(name):
        raise Invalid.field(field, "Remove the link or email address: this is for a name.")
    return name


def holds_link(text: str) -> bool:
    """Whether `text` has a URL or an email address in it, in letters and dots of any kind."""
    return bool(_LINK.search(unicodedata.normalize("NFKC", _plain(text))))


def in_mail(text: str, length: int = SHOWN) -> str:
    """A text of a stranger's for an email: one line, at most `length` characters, no link.

    Names that were kept before links were refused, and what a browser calls itself, may hold one.
    """
    words = "".join(c if c.isprintable() else " " for c in text[: 4 * length]).split()
    kept = " ".join(_REMOVED if holds_link(word) else word for word in words)
    cut = kept if len(kept) <= length else kept[: length - 1].rstrip() + "…"
    return _DOT_IN_HOST.sub(rf"\g<0>{_JOINER}", cut)


def _plain(text: str) -> str:
    """As browsers read a host: without characters that show nothing, with full stops for dots."""
    seen = (c for c in text if unicodedata.category(c) != "Cf")
    return "".join("." if c in _DOTS else c for c in seen)
