"""User agents as people read them."""

import pytest

from core.user_agents import UNKNOWN, describe

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_LINUX = f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT}"
_WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT}"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko)"
)
_IPAD = _IPHONE.replace("(iPhone; CPU iPhone OS", "(iPad; CPU OS")
_ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT}"


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        (f"{_LINUX} Chrome/141.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"{_LINUX} HeadlessChrome/141.0.0.0 Safari/537.36", "Chrome on Linux"),
        (f"{_LINUX} Ubuntu Chromium/80.0 Chrome/80.0 Safari/537.36", "Chromium on Linux"),
        (f"{_WINDOWS} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", "Edge on Windows"),
        (f"{_WINDOWS} Chrome/141.0.0.0 Safari/537.36 OPR/120.0", "Opera on Windows"),
        (f"{_ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            f"{_ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox on Linux",
        ),
        (f"{_MAC} Version/18.1 Safari/605.1.15", "Safari on macOS"),
        (f"{_IPHONE} Version/18.1 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{_IPHONE} CriOS/141.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{_IPHONE} FxiOS/143.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
        (f"{_IPHONE} Mobile/15E148", "Browser on iPhone"),
        (f"{_IPAD} Version/18.1 Mobile/15E148 Safari/604.1", "Safari on iPad"),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/141.0 Safari/537.36",
            "Chrome on ChromeOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko",
            "Internet Explorer on Windows",
        ),
    ],
)
def test_a_browser_is_named_with_its_system(user_agent: str, shown: str) -> None:
    assert describe(user_agent) == shown


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("python-requests/2.32.3", "python-requests 2.32"),
        ("curl/8.5.0", "curl 8.5"),
        ("Go-http-client/2.0", "Go-http-client 2.0"),
        ("node", "node"),
        ("okhttp/4.12.0 (Linux)", "okhttp 4.12"),
        ("acme-sync/v3 (+https://acme.example)", "acme-sync 3"),
    ],
)
def test_a_program_is_named_with_its_version(user_agent: str, shown: str) -> None:
    assert describe(user_agent) == shown


@pytest.mark.parametrize(
    "user_agent",
    ["", "Mozilla/5.0", "Mozilla/5.0 (compatible; Robot/1.0)", "<script>", "(x)/1", "/", "‮gnp"],
)
def test_what_names_nothing_is_an_unknown_device(user_agent: str) -> None:
    assert describe(user_agent) == UNKNOWN


@pytest.mark.parametrize("user_agent", ["a" * 500, "Version/1 " * 50, "Safari/" * 70])
def test_a_long_one_stays_as_short_as_a_label(user_agent: str) -> None:
    assert len(describe(user_agent)) <= 40
