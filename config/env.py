"""The only reader of environment variables."""

import os
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
#: What the running application keeps: SQLite's file, static files, the demo's secrets.
VAR: Final = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
DEMO_FILE: Final = VAR / "demo.env"
_SHORTEST_SECRET_KEY: Final = 50
_LONGEST_TIME: Final = 10
_LARGEST_NUMBER: Final = 999_999_999
_LONGEST_RETENTION: Final = 36_500
#: The bits before the IPv4 address in an IPv6 one.
_MAPPED_BITS: Final = 96
_EXAMPLE: Final = "change-me"
#: Parts of a request by the names of CGI, besides HTTP_*, that Django or a library reads.
_REQUEST_VARIABLES: Final = frozenset(
    ("AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "REDIRECT_URL", "REMOTE_USER", "SCRIPT_URL")
)
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def load(*, for_command: bool = False) -> None:
    """Reads the settings file and chooses the settings module; real variables come first.

    The file is `ENV_FILE`, or else `.env`, or else, for commands, what `make demo` has made.
    """
    candidates = [ROOT / ".env"]
    if for_command:
        candidates.append(DEMO_FILE)
    chosen = os.environ.get("ENV_FILE")
    file = Path(chosen) if chosen else next(filter(Path.is_file, candidates), None)
    if file is not None:
        if not file.exists():
            raise ImproperlyConfigured(f"ENV_FILE names {file}, which does not exist.")
        env_file.read(file)
    _remove_request_variables()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")


def _remove_request_variables() -> None:
    """Removes what a WSGI server would pass on as part of every request.

    Granian and wsgiref start each request's environ with a copy of this process's variables:
    HTTP_AUTHORIZATION would authenticate requests that send nothing. It runs before they copy.
    """
    for name in list(os.environ):
        if name.startswith("HTTP_") or name in _REQUEST_VARIABLES:
            del os.environ[name]


def text(name: str, default: str = "") -> str:
    """A variable as text, as it is: django-environ would look up what follows a “$”."""
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    """A switch; any other word stops the start, because a typo would quietly mean off."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() not in SWITCH:
        raise ImproperlyConfigured(
            f"Set {name} to “on” or “off” (true/false, yes/no and 1/0 work too), or remove it."
        )
    return SWITCH[value.lower()]


def seconds(name: str, default: float) -> float:
    """A short time in seconds, from 0 to 10."""
    value = text(name, str(default))
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found <= _LONGEST_TIME:
        raise ImproperlyConfigured(f"Set {name} to a number of seconds from 0 to {_LONGEST_TIME}.")
    return found


def words(name: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    value = os.environ.get(name)
    if value is None:
        return default
    return [word.strip() for word in value.split(",") if word.strip()]


def database() -> dict[str, Any]:
    """Django's settings for the database of `DATABASE_URL`; SQLite under `var/` by default."""
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    value = env_urls.database(text("DATABASE_URL", f"sqlite:///{VAR / 'db.sqlite3'}"))
    if _EXAMPLE in value["PASSWORD"]:
        raise ImproperlyConfigured("Set DATABASE_URL to a database of your own, not the example's.")
    return value


def redis_url() -> str:
    """`REDIS_URL`; empty where each process counts alone."""
    value = text("REDIS_URL")
    if _EXAMPLE in value:
        raise ImproperlyConfigured(
            "Set REDIS_URL to the address of Redis or Valkey, such as"
            " “redis://:password@host:6379/0”."
        )
    return env_urls.redis(value) if value else ""


def base_url() -> str:
    """`API_BASE_URL` without a slash at its end; empty where the pages' own URL is meant."""
    value = text("API_BASE_URL")
    return env_urls.api(value) if value else ""


def site_url(*, required: bool = False) -> str:
    """`SITE_URL`, the start of every link in emails, without a slash at its end.

    Empty where it isn't `required`; then HTTP is fine, too, as on a developer's machine.
    """
    value = text("SITE_URL")
    schemes = ("https",) if required else ("https", "http")
    if (value or required) and not _is_origin(value, schemes):
        raise ImproperlyConfigured(
            "Set SITE_URL to the address of the pages, which the links in emails begin with:"
            f" {' or '.join(schemes)}, a host, and nothing else, such as"
            " “https://keys.example.com”."
        )
    return value.rstrip("/")


def _is_origin(value: str, schemes: tuple[str, ...]) -> bool:
    """Whether `value` is a URL of a scheme, a host and perhaps a port."""
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


def mail() -> dict[str, Any]:
    """Django's settings for the mail server of `EMAIL_URL`; without one, emails are printed."""
    value = env_urls.email(text("EMAIL_URL", "consolemail://"))
    if _EXAMPLE in (value["EMAIL_HOST_PASSWORD"] or ""):
        raise ImproperlyConfigured("Set EMAIL_URL to a mail server of your own, not the example's.")
    return value


def require_mail_server() -> None:
    """Stops a start that would print emails, and the links in them, to the log."""
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
    """For how many days something is kept; 0 for good."""
    days = number(name, default)
    if days and not least <= days <= _LONGEST_RETENTION:
        raise ImproperlyConfigured(
            f"Set {name} to a number of days from {least} to {_LONGEST_RETENTION}, or to 0 to keep"
            " everything."
        )
    return days


def processes() -> int:
    """`RATE_LIMIT_PROCESSES`: how many share a limit; granian's workers where it is not set."""
    value = text("RATE_LIMIT_PROCESSES") or text("GRANIAN_WORKERS") or "1"
    if not value.isdecimal() or not int(value):
        raise ImproperlyConfigured("Set RATE_LIMIT_PROCESSES to a whole number from 1.")
    return int(value)


def worker_threads() -> int:
    """`GRANIAN_BLOCKING_THREADS`: the threads of each worker.

    A server that was started with the option in place of the variable tells nothing: the least that
    lets one thread work while another waits is then assumed.
    """
    return number("GRANIAN_BLOCKING_THREADS", 2, least=1)


def log_level() -> str:
    """`LOG_LEVEL`, by the names of Python's logging."""
    value = text("LOG_LEVEL", "INFO").upper()
    if value not in _LOG_LEVELS:
        raise ImproperlyConfigured(f"Set LOG_LEVEL to one of {', '.join(_LOG_LEVELS)}.")
    return value


def secret_key() -> str:
    """`SECRET_KEY`; stops the start where it is missing, short or the example's."""
    value = text("SECRET_KEY")
    if len(value) < _SHORTEST_SECRET_KEY or _EXAMPLE in value:
        raise ImproperlyConfigured(
            f"Set SECRET_KEY to at least {_SHORTEST_SECRET_KEY} random characters of your own;"
            " “python manage.py generate_secrets” prints some."
        )
    return value


def peppers() -> Peppers:
    """`API_KEY_PEPPERS`, ``2:newer,1:older``; stops the start where it is missing or weak."""
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
    """A comma-separated list of addresses and CIDR ranges."""
    try:
        return tuple(_unmapped(ip_network(item)) for item in words(name, []))
    except ValueError as error:
        raise ImproperlyConfigured(f"Set {name} to addresses or CIDR ranges: {error}.") from None


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """``::ffff:10.0.0.0/104`` as ``10.0.0.0/8``: clients' addresses are compared as IPv4, too."""
    mapped = network.network_address
    if not isinstance(mapped, IPv6Address) or mapped.ipv4_mapped is None:
        return network
    return IPv4Network((mapped.ipv4_mapped, network.prefixlen - _MAPPED_BITS))
