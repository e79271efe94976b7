"""Parses the URLs of the database, Redis, the mail server and the API.

Rejects what a library would misread or reject only when it connects. Errors name the setting and
the reason but never quote the URL, which can contain a password.
"""

import re
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from redis import ConnectionPool
from redis.exceptions import RedisError

from config.switches import SWITCH

_EXAMPLES: Final = {
    "DATABASE_URL": "postgres://name:password@host:5432/database",
    "REDIS_URL": "redis://host:6379/0",
    "EMAIL_URL": "smtp+tls://name:password@host:587",
    "API_BASE_URL": "https://api.example.com",
}
_POSTGRESQL: Final = ("postgres", "postgresql", "psql", "pgsql")
_SMTP: Final = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
#: Boolean database settings of Django.
_DATABASE_SWITCHES: Final = (
    "ATOMIC_REQUESTS",
    "AUTOCOMMIT",
    "CONN_HEALTH_CHECKS",
    "DISABLE_SERVER_SIDE_CURSORS",
)
_EMAIL_SWITCHES: Final = ("EMAIL_USE_TLS", "EMAIL_USE_SSL")
_ENCODE: Final = "write “#”, “/”, “?” and “@” in a name or password as %23, %2F, %3F and %40"


def database(url: str) -> dict[str, Any]:
    """Django's settings for PostgreSQL or a SQLite file."""
    name = "DATABASE_URL"
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        return _sqlite(url)
    if scheme not in _POSTGRESQL:
        raise _refusal(name, "only postgres:// and sqlite:// are supported")
    try:
        query = urlsplit(url).query
        value: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:
        raise _refusal(name, f"the host or port is malformed; {_ENCODE}") from None
    if not value["NAME"] and "service" not in value.get("OPTIONS", {}):
        raise _refusal(name, "the name of the database is missing")
    value.update(_switches(name, query, _DATABASE_SWITCHES))
    return value


def _sqlite(url: str) -> dict[str, Any]:
    if url.partition(":")[2][:3] != "///":
        raise _refusal("DATABASE_URL", "SQLite needs a file, such as sqlite:////srv/db.sqlite3")
    value: dict[str, Any] = environ.Env.db_url_config(url)
    if value["NAME"] == ":memory:":
        raise _refusal("DATABASE_URL", "SQLite in memory is lost between threads; name a file")
    value.update(_switches("DATABASE_URL", urlsplit(url).query, _DATABASE_SWITCHES))
    return value


def redis(url: str) -> str:
    """The URL with a lower-case scheme, as redis-py expects it."""
    name = "REDIS_URL"
    parts = _split(name, url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise _refusal(name, "only redis://, rediss:// and unix:// are supported")
    if parts.scheme == "unix":
        found = bool(parts.path.strip("/"))
    else:
        found = bool(parts.hostname) and re.fullmatch(r"/?|/\d{1,5}", parts.path) is not None
    if not found:
        raise _refusal(name, "the host or the number of the database is malformed")
    lowered = parts.scheme + url[len(parts.scheme) :]
    try:
        ConnectionPool.from_url(lowered).make_connection()  # which does not connect
    except (TypeError, ValueError, RedisError):
        raise _refusal(name, "an option after “?” is unknown or malformed") from None
    return lowered


def email(url: str) -> dict[str, Any]:
    """Django's settings for a mail server or another mail backend."""
    name = "EMAIL_URL"
    parts = _split(name, url)
    if parts.scheme not in environ.Env.EMAIL_SCHEMES:
        raise _refusal(name, "use smtp://, smtp+tls:// or smtp+ssl://, or remove the setting")
    if parts.scheme in _SMTP and not parts.hostname:
        raise _refusal(name, "the host is missing")
    value: dict[str, Any] = environ.Env.email_url_config(url)
    switches = _switches(name, parts.query, _EMAIL_SWITCHES)
    if value.pop("OPTIONS", None):
        raise _refusal(name, "an option after “?” is unknown")
    value.update(switches)
    if value.get("EMAIL_USE_TLS") and value.get("EMAIL_USE_SSL"):
        raise _refusal(name, "choose either TLS or SSL")
    return value


def api(url: str) -> str:
    """The base URL of the API without a trailing slash."""
    name = "API_BASE_URL"
    parts = _split(name, url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refusal(name, "it needs http:// or https:// and a host")
    if "@" in parts.netloc or parts.query:
        raise _refusal(name, "it may have neither a name and password nor a query")
    return url.rstrip("/")


def _split(name: str, url: str) -> SplitResult:
    """The parts of a URL with a valid host and port."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError for an invalid port
    except ValueError:
        raise _refusal(name, f"the host or port is malformed; {_ENCODE}") from None
    if "#" in url or not url.isprintable() or " " in url:
        raise _refusal(name, f"it holds “#” or a space; {_ENCODE}")
    return parts


def _switches(name: str, query: str, known: tuple[str, ...]) -> dict[str, bool]:
    """The boolean options of a query. django-environ would read “false” as true."""
    found = {}
    for option, word in parse_qsl(query, keep_blank_values=True):
        if option.upper() in known:
            if word.lower() not in SWITCH:
                raise _refusal(name, f"{option.upper()} is on or off")
            found[option.upper()] = SWITCH[word.lower()]
    return found


def _refusal(name: str, reason: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"Set {name} to a URL such as “{_EXAMPLES[name]}”: {reason}.")
