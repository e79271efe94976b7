"""URLs that a library would misread, or reject only when it connects, prevent the start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.support.processes import GOOD_SECRETS, manage

READ: dict[str, Callable[[], Any]] = {
    "DATABASE_URL": env.database,
    "REDIS_URL": env.redis_url,
    "EMAIL_URL": env.mail,
    "API_BASE_URL": env.base_url,
}
#: In the URLs below where a password or a part of one stands.
PASSWORD = "hunter2hunter"
REFUSED = [
    ("DATABASE_URL", "", "only postgres:// and sqlite://"),
    ("DATABASE_URL", f"mysql://name:{PASSWORD}@host/name", "only postgres:// and sqlite://"),
    ("DATABASE_URL", f"oracle://name:{PASSWORD}@host/name", "only postgres:// and sqlite://"),
    ("DATABASE_URL", "sqlite://:memory:", "SQLite needs a file"),
    ("DATABASE_URL", "sqlite://", "SQLite needs a file"),
    ("DATABASE_URL", "sqlite://db.sqlite3", "SQLite needs a file"),
    ("DATABASE_URL", "sqlite:///", "SQLite in memory"),
    ("DATABASE_URL", "sqlite:///:memory:", "SQLite in memory"),
    ("DATABASE_URL", "sqlite:////srv/db.sqlite3?ATOMIC_REQUESTS=t", "is on or off"),
    ("DATABASE_URL", f"postgres://name:{PASSWORD}@host:port/name", "host or port"),
    ("DATABASE_URL", f"postgres://name:{PASSWORD}/@host/name", "host or port"),
    ("DATABASE_URL", f"postgres://name:{PASSWORD}@[host/name", "host or port"),
    ("DATABASE_URL", f"postgres://name:{PASSWORD}@host", "name of the database"),
    ("DATABASE_URL", "postgres://h/n?DISABLE_SERVER_SIDE_CURSORS=t", "is on or off"),
    ("DATABASE_URL", "postgres://h/n?conn_health_checks=", "is on or off"),
    ("REDIS_URL", f"http://:{PASSWORD}@host", "only redis://"),
    ("REDIS_URL", f"redis://:{PASSWORD}@host:port/0", "host or port"),
    ("REDIS_URL", f"redis://:{PASSWORD}#@host/0", "host or port"),
    ("REDIS_URL", f"redis://:{PASSWORD}@host/0#", "“#”"),
    ("REDIS_URL", f"redis://:{PASSWORD}@host/name", "number of the database"),
    ("REDIS_URL", "redis://", "host"),
    ("REDIS_URL", "unix://", "host"),
    ("REDIS_URL", f"redis://:{PASSWORD}@host?socket_timeout=abc", "option after “?”"),
    ("REDIS_URL", f"redis://:{PASSWORD}@host?colour=red", "option after “?”"),
    ("REDIS_URL", "redis://[::1", "host or port"),
    ("EMAIL_URL", "", "or remove the setting"),
    ("EMAIL_URL", "mail.example.com", "use smtp://"),
    ("EMAIL_URL", f"smtp+tls://name:{PASSWORD}#@host:587", "%23"),
    ("EMAIL_URL", f"smtp+tls://name:12#{PASSWORD}@host:587", "%23"),
    ("EMAIL_URL", f"smtp+tls://name:{PASSWORD}/@host:587", "%2F"),
    ("EMAIL_URL", f"smtp://name:{PASSWORD}@host:port", "host or port"),
    ("EMAIL_URL", f"smtp://name:{PASSWORD}@", "host is missing"),
    ("EMAIL_URL", f"smtp://name:{PASSWORD}@host?tls=on", "option after “?”"),
    ("EMAIL_URL", f"smtp://name:{PASSWORD}@host?email_use_tls=t", "is on or off"),
    ("EMAIL_URL", f"smtp+ssl://name:{PASSWORD}@host?EMAIL_USE_TLS=on", "either TLS or SSL"),
    ("API_BASE_URL", "https://[::1", "host or port"),
    ("API_BASE_URL", "https://api.example.com:port", "host or port"),
    ("API_BASE_URL", "https://", "and a host"),
    ("API_BASE_URL", "api.example.com", "http:// or https://"),
    ("API_BASE_URL", f"https://name:{PASSWORD}@api.example.com", "neither a name"),
    ("API_BASE_URL", f"https://api.example.com?key={PASSWORD}", "nor a query"),
    ("API_BASE_URL", "https://api.example.com/ v1", "a space"),
]


@pytest.mark.parametrize(("name", "url", "reason"), REFUSED)
def test_a_faulty_url_is_refused_by_name_and_reason(
    name: str, url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, url)

    with pytest.raises(ImproperlyConfigured) as refusal:
        READ[name]()
    message = str(refusal.value)
    assert message.startswith(f"Set {name} to a URL such as “")
    assert reason in message.partition("”: ")[2]
    assert PASSWORD not in message


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", f"mysql://name:{PASSWORD}@host/name"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("REDIS_URL", f"redis://:{PASSWORD}@host?socket_timeout=abc"),
        ("EMAIL_URL", f"smtp+tls://name:{PASSWORD}#@host:587"),
        ("EMAIL_URL", ""),
        ("API_BASE_URL", "https://[::1"),
    ],
)
def test_the_start_ends_with_one_sentence(name: str, url: str, tmp_path: Path) -> None:
    run = manage("check", **{**GOOD_SECRETS, "VAR_DIR": str(tmp_path), name: url})

    assert run.returncode == 1
    assert run.stderr.startswith(f"Set {name} ")
    assert len(run.stderr.splitlines()) == 1
    assert PASSWORD not in run.stderr


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("REDIS://host:6379/0", "redis://host:6379/0"),
        ("Rediss://:Pass%23Word@Host/1", "rediss://:Pass%23Word@Host/1"),
        ("redis://host", "redis://host"),
        ("redis://[::1]:6379/", "redis://[::1]:6379/"),
        ("unix:///run/valkey.sock?db=1", "unix:///run/valkey.sock?db=1"),
        ("redis://host/0?socket_timeout=0.5", "redis://host/0?socket_timeout=0.5"),
        ("", ""),
    ],
)
def test_urls_of_redis(url: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)

    assert env.redis_url() == value


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("POSTGRES://name:pass%23word@host:5433/base", ("pass#word", "host", 5433, "base")),
        ("postgres://name:pass#word@host/base", ("pass#word", "host", "", "base")),
        ("postgresql://name:$word@[::1]/base", ("$word", "::1", "", "base")),
        ("postgres:///?service=latchkey", ("", "", "", "")),
        ("sqlite:////srv/base.sqlite3", ("", "", "", "/srv/base.sqlite3")),
    ],
)
def test_urls_of_the_database(
    url: str, parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    value = env.database()

    assert tuple(value[part] for part in ("PASSWORD", "HOST", "PORT", "NAME")) == parts


@pytest.mark.parametrize(("word", "on"), [("true", True), ("False", False), ("off", False)])
def test_switches_in_a_url_are_on_or_off(
    word: str, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgres://h/n?DISABLE_SERVER_SIDE_CURSORS={word}")
    monkeypatch.setenv("EMAIL_URL", f"smtp://host?EMAIL_USE_TLS={word}")

    assert env.database()["DISABLE_SERVER_SIDE_CURSORS"] is on
    assert env.mail()["EMAIL_USE_TLS"] is on


def test_a_mail_server_with_an_encoded_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://name:%23pass%2Fword@host:587")
    value = env.mail()

    assert (value["EMAIL_HOST"], value["EMAIL_PORT"]) == ("host", 587)
    assert value["EMAIL_HOST_PASSWORD"] == "#pass/word"
    assert value["EMAIL_USE_TLS"] is True


@pytest.mark.parametrize(
    "url", ["https://[::1]:8000/", "http://localhost:8000", "https://a.example/x/"]
)
def test_urls_of_the_api(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_BASE_URL", url)

    assert env.base_url() == url.rstrip("/")


def test_a_dollar_sign_refers_to_no_other_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "$SITE_NAME" + "x" * 50
    monkeypatch.setenv("SECRET_KEY", secret)
    monkeypatch.setenv("SITE_NAME", "$PATH")
    monkeypatch.setenv("ALLOWED_HOSTS", "$PATH,b.example")

    assert env.secret_key() == secret
    assert env.text("SITE_NAME") == "$PATH"
    assert env.words("ALLOWED_HOSTS", []) == ["$PATH", "b.example"]
