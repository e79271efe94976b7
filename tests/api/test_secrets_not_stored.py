"""A secret is in one response and is stored nowhere afterwards."""

import contextlib
import logging
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from apikeys.services import Issued
from config.logs import ConsoleHandler
from organizations.models import User
from tests.admin.support import enter
from tests.conftest import ALL_SCOPES
from tests.support.api import CURRENT, KEYS
from tests.support.client import ApiClient

RANDOM = 34


@dataclass
class Story:
    """What has been issued, and everything that was answered later or written to a log."""

    secrets: list[str] = field(default_factory=list)
    later: list[bytes] = field(default_factory=list)
    log: str = ""

    @property
    def prefixes(self) -> list[str]:
        return [secret[:13] for secret in self.secrets]

    def found_in(self, haystack: bytes) -> list[str]:
        """The prefixes of the secrets that are in `haystack`, whole or their random part only."""
        parts = {secret: secret.split("_")[-1][:RANDOM] for secret in self.secrets}
        return [s[:13] for s, random in parts.items() if random.encode() in haystack]


@pytest.fixture
def story(
    committed: None,
    call: ApiClient,
    manager: Issued,
    capfd: pytest.CaptureFixture[str],
    settings: Settings,
) -> Story:
    """Keys made, rotated, used, mistyped, listed, changed, lost in the wrong places and ended."""
    settings.API_ACCESS_LOG = True
    told = Story(secrets=[manager.secret])
    with console_log():
        _tell(told, call, manager)
    told.log = "".join(capfd.readouterr())
    return told


@contextlib.contextmanager
def console_log() -> Iterator[None]:
    """The real handler and formatter, writing to the real standard error that `capfd` reads."""
    handler = next(h for h in logging.getLogger().handlers if isinstance(h, ConsoleHandler))
    before = handler.stream
    with open(2, "w", closefd=False) as stderr:
        handler.setStream(stderr)
        try:
            yield
        finally:
            handler.setStream(before)


def _tell(told: Story, call: ApiClient, manager: Issued) -> None:
    def later(*args: Any, **options: Any) -> None:
        told.later.append(call(*args, **options).raw)

    body = {"name": "Told", "scopes": ALL_SCOPES, "metadata": {"team": "search"}}
    made = call("POST", KEYS, body, key=manager).body
    path = f"{KEYS}/{made['id']}"
    rotated = call("POST", f"{path}/rotate", {"grace_period": 0}, key=made["key"]).body
    sandbox = call("POST", KEYS, {**body, "name": "Sand", "key_type": "test"}, key=manager).body
    told.secrets += [made["key"], rotated["key"], sandbox["key"]]

    for secret in told.secrets:
        agent = {"User-Agent": f"curl/8 {secret} KEY{secret}"}
        later("GET", CURRENT, key=secret, headers=agent)
        later("GET", CURRENT, key=secret[:-1] + ("A" if secret[-1] != "A" else "B"))
        later("GET", CURRENT, query={"api_key": secret})
        later("GET", f"{KEYS}?{secret}=1&cursor={secret}&status={secret}", key=manager)
        later("GET", f"{KEYS}?name={secret}", key=manager)
        later("GET", f"{KEYS}/{secret}", key=manager)
        later("GET", f"/v1/{secret}/KEY{secret}")
        later("DELETE", f"/v1/accounts/{secret}/templates/{secret}", key=manager)
        later("GET", CURRENT, key=manager, headers={"Host": f"{secret}.example"})
        later("GET", CURRENT, key=manager, headers={"X-Forwarded-For": secret, "Cookie": secret})
        later("POST", KEYS, b"{" + secret.encode(), key=manager)
        later("POST", KEYS, body, key=manager, content_type=f"text/{secret}")
        later("PATCH", path, {"name": f"KEY{secret}"}, key=manager)
        later("PATCH", path, {"description": secret, secret: secret}, key=manager)
        later("PATCH", path, {"metadata": {secret: "x", "a": f"9{secret}"}}, key=manager)
        later("PATCH", path, {"name": f"Name {secret[:13]}"}, key=manager)
        later(secret, path, key=manager)
    later("GET", KEYS, key=manager)
    later("GET", path, key=manager)
    later("DELETE", path, key=manager)
    later("GET", CURRENT, key=rotated["key"])


def cells() -> Iterator[tuple[str, bytes]]:
    """Every value of every column of every table, as bytes."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(columns, row, strict=True):
                    raw = value if isinstance(value, bytes | memoryview) else str(value).encode()
                    yield f"{table}.{name}", bytes(raw)


def database_files() -> list[Path]:
    main = Path(str(connection.settings_dict["NAME"]))
    return [file for file in (main, Path(f"{main}-wal")) if file.exists()]


def contents(files: list[Path]) -> bytes:
    """Read by a process of its own: closing a file of SQLite gives up all locks of a process."""
    return subprocess.check_output(["cat", *map(str, files)])


def test_no_secret_is_in_any_column_of_any_table(story: Story) -> None:
    assert {name: story.found_in(raw) for name, raw in cells() if story.found_in(raw)} == {}


def test_the_search_of_the_tables_finds_what_is_there(story: Story) -> None:
    everything = b"\n".join(raw for _, raw in cells())

    assert [p for p in story.prefixes if p.encode() not in everything] == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the files of a server are its own")
def test_no_secret_is_in_the_raw_files_of_the_database(story: Story) -> None:
    raw = contents(database_files())

    assert story.found_in(raw) == []
    assert [p for p in story.prefixes if p.encode() not in raw] == []


def test_no_secret_is_in_the_log(story: Story) -> None:
    assert story.found_in(story.log.encode()) == []


def test_the_log_was_written_and_shows_cut_secrets(story: Story) -> None:
    assert story.log.count('"event": "request"') >= len(story.later)
    assert [p for p in story.prefixes if f"{p}[redacted]" not in story.log] == []


def test_no_secret_is_in_an_answer_but_the_one_that_made_it(story: Story) -> None:
    assert [raw for raw in story.later if story.found_in(raw)] == []


def test_the_search_of_the_answers_finds_what_is_there(story: Story) -> None:
    everything = b"".join(story.later)

    assert story.prefixes[1].encode() in everything
    assert b"[redacted]" in everything
    assert story.found_in(story.secrets[0].encode()) == [story.prefixes[0]]


def test_no_secret_is_in_the_cache(story: Story) -> None:
    kept = getattr(cache, "_cache", None)
    if isinstance(kept, dict):
        values = repr(kept).encode()
    else:
        client = cache._cache.get_client()  # type: ignore[attr-defined]
        values = b"".join(name + bytes(client.dump(name) or b"") for name in client.keys("*"))

    assert story.found_in(values) == []


def test_no_secret_is_on_any_admin_page(story: Story, staff: User) -> None:
    client = enter(Client(raise_request_exception=False), staff)
    pages = {path: client.get(path).content for path in admin_pages()}

    assert {path: story.found_in(raw) for path, raw in pages.items() if story.found_in(raw)} == {}
    assert b"Organizations and API keys" in pages["/admin/"]


def admin_pages() -> list[str]:
    """The index, and of each registered model the list, a search, and each row's pages."""
    paths = ["/admin/"]
    for model in django_admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        with contextlib.suppress(NoReverseMatch):
            listed = reverse(f"{name}_changelist")
            paths += [listed, f"{listed}?q=sig_live_"]
            for row in model._base_manager.all():
                paths += [reverse(f"{name}_{p}", args=[row.pk]) for p in ("change", "history")]
    return paths


def test_the_api_has_made_no_session(story: Story) -> None:
    assert Session.objects.count() == 0


def test_the_story_leaves_a_usable_secret_behind(
    story: Story, call: ApiClient, manager: Issued
) -> None:
    assert call("GET", CURRENT, key=manager).status == 200
