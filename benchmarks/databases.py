"""Databases of the benchmark: filled once, kept between runs, recreated if the schema changes."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT: Final = Path(__file__).resolve().parent.parent
KEPT: Final = ROOT / "var" / "bench"


@dataclass(frozen=True, slots=True)
class Database:
    """A filled database: its URL, and the facts reported while filling it."""

    vendor: str
    url: str
    facts: dict[str, Any]


def prepare(vendor: str, server: str, what: str, sizes: Sequence[int]) -> Database:
    """The database with `what` in those sizes. Fills it unless an earlier run has.

    `server` is the URL of any database on the PostgreSQL server, with a role that may create more.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    family = f"latchkey_bench_{what}_{'_'.join(map(str, sizes))}"
    name = f"{family}_{_fingerprint()}"
    if vendor == "sqlite":
        return _prepare_sqlite(family, name, [what, *map(str, sizes)])
    return _prepare_postgresql(server, family, name, [what, *map(str, sizes)])


def _prepare_sqlite(family: str, name: str, arguments: list[str]) -> Database:
    file, facts = KEPT / f"{name}.sqlite3", KEPT / f"{name}.sqlite3.json"
    if not facts.exists():
        for old in KEPT.glob(f"{family}_*.sqlite3*"):
            old.unlink()
        told = _fill(f"sqlite:///{file}", arguments)
        facts.write_text(json.dumps({**told, "megabytes": file.stat().st_size >> 20}))
    return Database("sqlite", f"sqlite:///{file}", json.loads(facts.read_text()))


def _prepare_postgresql(server: str, family: str, name: str, arguments: list[str]) -> Database:
    facts, url = KEPT / f"{name}.json", _sibling(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if not (found.fetchone() and facts.exists()):
            _make_database(connection, family, name)
            told = _fill(url, arguments)
            size = connection.execute("SELECT pg_database_size(%s)", [name]).fetchone()
            facts.write_text(json.dumps({**told, "megabytes": size[0] >> 20 if size else 0}))
    return Database("postgresql", url, json.loads(facts.read_text()))


def _make_database(connection: psycopg.Connection[Any], family: str, name: str) -> None:
    """Creates an empty database. Drops those made for an earlier schema."""
    like = family.replace("_", r"\_") + r"\_%"
    old = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [like])
    for (other,) in old.fetchall():
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(other)))
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def surroundings(**variables: str) -> dict[str, str]:
    """Environment of a process of the benchmark, without the application's own variables."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME") or k.startswith("PG")}
    return {**kept, **variables}


def _sibling(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _fingerprint() -> str:
    """Changes with the schema and with the code that creates rows."""
    sources = [
        *sorted(ROOT.glob("*/migrations/*.py")),
        ROOT / "benchmarks/identities.py",
        ROOT / "benchmarks/site/fill.py",
        ROOT / "benchmarks/site/rows.py",
    ]
    peers = [version(name).encode() for name in ("djangorestframework-api-key", "django-rest-knox")]
    return hashlib.sha256(b"".join([*map(Path.read_bytes, sources), *peers])).hexdigest()[:8]


def _fill(url: str, arguments: list[str]) -> dict[str, Any]:
    print(f"filling {' '.join(arguments)} …", flush=True)
    command = [sys.executable, "-m", "benchmarks.site", *arguments]
    environment = surroundings(DATABASE_URL=url)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
