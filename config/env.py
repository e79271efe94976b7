"""The only reader of environment variables."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from apikeys.tokens import BRAND, MINIMUM_PEPPER_BYTES, Peppers, read_peppers

ROOT: Final = Path(__file__).resolve().parent.parent
#: What the running application keeps: SQLite's file, static files, the demo's secrets.
VAR: Final = Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
DEMO_FILE: Final = VAR / "demo.env"
_SHORTEST_SECRET_KEY: Final = 50
_LONGEST_TIME: Final = 10
_LARGEST_NUMBER: Final = 999_999_999
_EXAMPLE: Final = "change-me"
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_env = environ.Env()


def load(*, for_command: bool = False) -> None:
    """Reads the settings file and chooses the settings module; real variables come first.

    The file is `ENV_FILE`, or else `.env`, or else, for commands, what `make demo` has made.
    """
    candidates = [ROOT / ".env", *([DEMO_FILE] if for_command else [])]
    chosen = os.environ.get("ENV_FILE")
    file = Path(chosen) if chosen else next(filter(Path.is_file, candidates), None)
    if file is not None:
        if not file.exists():
            raise ImproperlyConfigured(f"ENV_FILE names {file}, which does not exist.")
        environ.Env.read_env(file)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")


def text(name: str, default: str = "") -> str:
    """A variable as text."""
    value: str = _env.str(name, default=default)
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """A variable that is on or off."""
    value: bool = _env.bool(name, default=default)
    return value


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
    value: list[str] = _env.list(name, default=default)
    return [word.strip() for word in value if word.strip()]


def database() -> dict[str, Any]:
    """Django's settings for the database of `DATABASE_URL`; SQLite under `var/` by default."""
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = text("DATABASE_URL", f"sqlite:///{VAR / 'db.sqlite3'}")
    try:
        known = urlsplit(url).scheme in environ.Env.DB_SCHEMES
        value: dict[str, Any] = environ.Env.db_url_config(url) if known else {}
    except ValueError:
        value = {}
    if not value or _EXAMPLE in value["PASSWORD"]:
        raise ImproperlyConfigured(
            "Set DATABASE_URL to the address of a database of your own, such as"
            " “postgres://name:password@host:5432/database”."
        )
    return value


def redis_url() -> str:
    """`REDIS_URL`; empty where each process counts alone."""
    value = text("REDIS_URL")
    if value and urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(
            "Set REDIS_URL to the address of Redis or Valkey, such as “redis://host:6379/0”."
        )
    return value


def base_url() -> str:
    """`API_BASE_URL` without a slash at its end; empty where the pages' own address is meant."""
    value = text("API_BASE_URL").rstrip("/")
    parts = urlsplit(value)
    if value and (
        parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc
    ):
        raise ImproperlyConfigured(
            "Set API_BASE_URL to the address of the API, such as “https://api.example.com”."
        )
    return value


def mail() -> dict[str, Any]:
    """Django's settings for the mail server of `EMAIL_URL`; without one, mails are printed."""
    value: dict[str, Any] = environ.Env.email_url_config(text("EMAIL_URL", "consolemail://"))
    return value


def number(name: str, default: int, *, least: int = 0, most: int = _LARGEST_NUMBER) -> int:
    """A whole number from `least` to `most`."""
    value = text(name, str(default))
    written = value.isascii() and value.isdecimal() and len(value) <= len(str(most))
    if not (written and least <= int(value) <= most):
        raise ImproperlyConfigured(f"Set {name} to a whole number from {least} to {most}.")
    return int(value)


def processes() -> int:
    """`RATE_LIMIT_PROCESSES`: how many share a limit; granian's workers where it is not set."""
    value = text("RATE_LIMIT_PROCESSES") or text("GRANIAN_WORKERS") or "1"
    if not value.isdecimal() or not int(value):
        raise ImproperlyConfigured("Set RATE_LIMIT_PROCESSES to a whole number from 1.")
    return int(value)


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
        return tuple(ip_network(item) for item in words(name, []))
    except ValueError as error:
        raise ImproperlyConfigured(f"Set {name} to addresses or CIDR ranges: {error}.") from None
