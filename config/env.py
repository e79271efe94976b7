"""Reads environment variables. Nothing else reads them."""

import os
import re
import warnings
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from apikeys.tokens import BRAND, MINIMUM_PEPPER_BYTES, Peppers, read_peppers
from config import env_file, env_urls
from config.switches import SWITCH

ROOT: Final = Path(__file__).resolve().parent.parent
#: Files of the running application: the SQLite database, static files, the demo's secrets.
VAR: Final = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
DEMO_FILE: Final = VAR / "demo.env"
_SHORTEST_SECRET_KEY: Final = 50
_LONGEST_TIME: Final = 10
_LARGEST_NUMBER: Final = 999_999_999
_LONGEST_RETENTION: Final = 36_500
#: Bits before the IPv4 address in an IPv4-mapped IPv6 address.
_MAPPED_BITS: Final = 96
_EXAMPLE: Final = "change-me"
#: CGI variables of a request, besides HTTP_*, that Django or a library reads.
_REQUEST_VARIABLES: Final = frozenset(
    ("AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "REDIRECT_URL", "REMOTE_USER", "SCRIPT_URL")
)
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def load(*, for_command: bool = False) -> None:
    """Reads the settings file and selects the settings module. Real variables take precedence.

    The file is `ENV_FILE`, or else `.env`, or else, for commands, the one from `make demo`.
    """
    candidates = [ROOT / ".env"]
    if for_command:
        candidates.append(DEMO_FILE)
    chosen = os.environ.get("ENV_FILE")
    file = Path(chosen) if chosen else next(filter(Path.is_file, candidates), None)
    if file is not None:
        if not file.exists():
            raise ImproperlyConfigured(f"ENV_FILE is {file}, which does not exist.")
        env_file.read(file)
    _remove_request_variables()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")


def _remove_request_variables() -> None:
    """Removes variables that a WSGI server would add to every request.

    Granian and wsgiref copy this process's variables into each request's environ.
    HTTP_AUTHORIZATION would then authenticate every request. Must run before they copy.
    """
    for name in list(os.environ):
        if name.startswith("HTTP_") or name in _REQUEST_VARIABLES:
            del os.environ[name]


def text(name: str, default: str = "") -> str:
    """A variable as it is. django-environ would expand a value that starts with “$”."""
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    """A switch. Raises for other words, because a typo would silently mean off."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() not in SWITCH:
        raise ImproperlyConfigured(
            f"Set {name} to “on” or “off” (true/false, yes/no and 1/0 work too), or remove it."
        )
    return SWITCH[value.lower()]


def seconds(name: str, default: float, *, old_name: str = "") -> float:
    """A duration in seconds, from 0 to 10. `old_name` is accepted too, with a warning."""
    if old_name in os.environ:
        name = _renamed(old_name, name)
    value = text(name, str(default))
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found <= _LONGEST_TIME:
        raise ImproperlyConfigured(f"Set {name} to a number of seconds from 0 to {_LONGEST_TIME}.")
    return found


def _renamed(old_name: str, name: str) -> str:
    if name in os.environ:
        raise ImproperlyConfigured(f"Remove {old_name}. It is now called {name}, which is set too.")
    warnings.warn(f"Rename {old_name} to {name}.", FutureWarning, stacklevel=3)
    return old_name


def words(name: str, default: list[str]) -> list[str]:
    value = os.environ.get(name)
    if value is None:
        return default
    return [word.strip() for word in value.split(",") if word.strip()]


def database() -> dict[str, Any]:
    """Django's settings for `DATABASE_URL`. Defaults to SQLite under `var/`."""
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = env_urls.database(text("DATABASE_URL", f"sqlite:///{VAR / 'db.sqlite3'}"))
    if _EXAMPLE in value["PASSWORD"]:
        raise ImproperlyConfigured("Set DATABASE_URL to your own database, not the example's.")
    return value


def redis_url() -> str:
    """`REDIS_URL`. Empty if each process counts separately."""
    value = text("REDIS_URL")
    if _EXAMPLE in value:
        raise ImproperlyConfigured(
            "Set REDIS_URL to the URL of Redis or Valkey, such as “redis://:password@host:6379/0”."
        )
    return env_urls.redis(value) if value else ""


def base_url() -> str:
    """`API_BASE_URL` without a trailing slash. Empty to use the pages' own URL."""
    value = text("API_BASE_URL")
    return env_urls.api(value) if value else ""


def site_url(*, required: bool = False) -> str:
    """`SITE_URL`, the start of every link in emails, without a trailing slash.

    Empty unless `required`. Then HTTP is allowed too, for development.
    """
    value = text("SITE_URL")
    schemes = ("https",) if required else ("https", "http")
    if (value or required) and not _is_origin(value, schemes):
        raise ImproperlyConfigured(
            "Set SITE_URL to the URL of the pages, with which links in emails start:"
            f" {' or '.join(schemes)}, a host, and nothing else, such as"
            " “https://keys.example.com”."
        )
    return value.rstrip("/")


def _is_origin(value: str, schemes: tuple[str, ...]) -> bool:
    """Whether `value` consists of a scheme, a host and perhaps a port."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    written = shown if port is None else f"{shown}:{port}"
    plain = value.isascii() and value.isprintable() and " " not in value
    return (
        plain
        and parts.scheme in schemes
        and bool(host)
        and (value.rstrip("/").lower() == f"{parts.scheme}://{written}")
    )


def security_contacts() -> list[str]:
    """`SECURITY_CONTACT`, for security.txt: email addresses and web pages as URLs."""
    found = words("SECURITY_CONTACT", [])
    for contact in found:
        if not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+|https://\S+|tel:[+\d-]+", contact):
            raise ImproperlyConfigured(
                "Set SECURITY_CONTACT to URLs such as “mailto:security@example.com” or"
                " “https://example.com/security”, comma-separated."
            )
    return found


def mail() -> dict[str, Any]:
    """Django's settings for `EMAIL_URL`. Without it, emails are printed."""
    value = env_urls.email(text("EMAIL_URL", "consolemail://"))
    if _EXAMPLE in (value["EMAIL_HOST_PASSWORD"] or ""):
        raise ImproperlyConfigured("Set EMAIL_URL to your own mail server, not the example's.")
    return value


def require_mail_server() -> None:
    """Raises if emails, and the links in them, would be printed to the log."""
    if mail()["EMAIL_BACKEND"] == environ.Env.EMAIL_SCHEMES["consolemail"]:
        raise ImproperlyConfigured(
            "Set EMAIL_URL to your mail server, such as “smtp+tls://name:password@host:587”."
            " Printing emails would write sign-in links to the log."
        )


def number(name: str, default: int, *, least: int = 0, most: int = _LARGEST_NUMBER) -> int:
    """A whole number from `least` to `most`."""
    value = text(name, str(default))
    written = value.isascii() and value.isdecimal() and len(value) <= len(str(most))
    if not (written and least <= int(value) <= most):
        raise ImproperlyConfigured(f"Set {name} to a whole number from {least} to {most}.")
    return int(value)


def retention(name: str, default: int, *, least: int) -> int:
    """Retention in days. 0 keeps forever."""
    days = number(name, default)
    if days and not least <= days <= _LONGEST_RETENTION:
        raise ImproperlyConfigured(
            f"Set {name} to a number of days from {least} to {_LONGEST_RETENTION}, or to 0 to keep"
            " everything."
        )
    return days


def processes() -> int:
    """`RATE_LIMIT_PROCESSES`: processes that share a limit. Defaults to granian's workers."""
    value = text("RATE_LIMIT_PROCESSES") or text("GRANIAN_WORKERS") or "1"
    if not value.isdecimal() or not int(value):
        raise ImproperlyConfigured("Set RATE_LIMIT_PROCESSES to a whole number from 1.")
    return int(value)


def worker_threads() -> int:
    """`GRANIAN_BLOCKING_THREADS`: threads per worker.

    A server that was started with the command-line option instead doesn't tell. The default is the
    minimum that lets one thread work while another waits.
    """
    return number("GRANIAN_BLOCKING_THREADS", 2, least=1)


def log_level() -> str:
    """`LOG_LEVEL`, a level of Python's logging."""
    value = text("LOG_LEVEL", "INFO").upper()
    if value not in _LOG_LEVELS:
        raise ImproperlyConfigured(f"Set LOG_LEVEL to one of {', '.join(_LOG_LEVELS)}.")
    return value


def secret_key() -> str:
    """`SECRET_KEY`. Raises if it is missing, short or the example's."""
    value = text("SECRET_KEY")
    if len(value) < _SHORTEST_SECRET_KEY or _EXAMPLE in value:
        raise ImproperlyConfigured(
            f"Set SECRET_KEY to at least {_SHORTEST_SECRET_KEY} random characters;"
            " “python manage.py generate_secrets” prints some."
        )
    return value


def peppers() -> Peppers:
    """`API_KEY_PEPPERS`, ``2:newer,1:older``. Raises if it is missing or weak."""
    value = text("API_KEY_PEPPERS")
    try:
        if _EXAMPLE in value:
            raise ValueError("this is the example's")
        return read_peppers(value)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"Set API_KEY_PEPPERS to numbered random texts of at least {MINIMUM_PEPPER_BYTES}"
            f" characters, newest first, such as “1:…”: {error}."
            " “python manage.py generate_secrets” prints one."
        ) from None


def brand() -> str:
    """`API_KEY_BRAND`, the first part of every new secret."""
    value = text("API_KEY_BRAND", "sig")
    if not BRAND.fullmatch(value):
        raise ImproperlyConfigured(
            "Set API_KEY_BRAND to at most 16 lower-case letters and digits, a letter first."
        )
    return value


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """A comma-separated list of IP addresses and CIDR ranges."""
    try:
        return tuple(_unmapped(ip_network(item)) for item in words(name, []))
    except ValueError as error:
        raise ImproperlyConfigured(f"Set {name} to addresses or CIDR ranges: {error}.") from None


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """``::ffff:10.0.0.0/104`` as ``10.0.0.0/8``: clients' addresses are compared as IPv4."""
    mapped = network.network_address
    if not isinstance(mapped, IPv6Address) or mapped.ipv4_mapped is None:
        return network
    return IPv4Network((mapped.ipv4_mapped, network.prefixlen - _MAPPED_BITS))
