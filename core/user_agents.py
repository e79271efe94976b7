"""Describes user agents for people: “Chrome on Linux” rather than the raw header."""

import re
from typing import Final

#: Name and token. The first match wins, since most browsers also name those they descend from.
_BROWSERS: Final = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"(?:OPR|Opera|OPiOS|OPT)/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Vivaldi", r"Vivaldi/"),
    ("Yandex Browser", r"YaBrowser/"),
    ("DuckDuckGo", r"(?:Ddg|DuckDuckGo)/"),
    ("Firefox", r"(?:Firefox|FxiOS)/"),
    ("Chromium", r"Chromium/"),
    ("Chrome", r"(?:Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"Version/[\d.]+ .*Safari/"),
    ("Internet Explorer", r"(?:MSIE |Trident/)"),
)
#: Phones before desktops: Android also says Linux, and iPhones say “like Mac OS X”.
_SYSTEMS: Final = (
    ("Windows", r"Windows"),
    ("iPhone", r"iPhone|iPod"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("FreeBSD", r"FreeBSD"),
    ("Linux", r"Linux|X11"),
)
#: A program's name and version, as in ``python-requests/2.32.3``. Not longer than a label.
_PROGRAM: Final = re.compile(r"([A-Za-z][A-Za-z0-9._+-]{0,39})(?:/v?(\d{1,4}(?:\.\d{1,4})?))?")
UNKNOWN: Final = "Unknown device"


def describe(user_agent: str) -> str:
    """Browser and system, or a program's name and version. “Unknown device” for the rest."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    if browser or user_agent.startswith("Mozilla/"):
        return browser or (f"Browser on {system}" if system else UNKNOWN)
    program = _PROGRAM.match(user_agent)
    return " ".join(filter(None, program.groups())) if program else UNKNOWN


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for name, token in known if re.search(token, user_agent)), "")
