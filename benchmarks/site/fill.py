"""Fills a database of the benchmark.

Inserts rows in bulk, as the models would have created them: the services would take hours.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

from django.core.management import call_command
from django.db import connection, models, transaction
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from rest_framework_api_key.models import APIKey as PeerKey

from apikeys import conf
from apikeys.models import ApiKey, ApiKeySecret
from benchmarks.site import rows
from organizations.models import Membership, Organization, User
from organizations.roles import Role

#: Keys per organization.
_EACH: Final = 1_000
_SCOPES: Final = ["trademarks:read", "search:read", "api-keys:manage"]
_BATCH: Final = 10_000
Make = Callable[[int], dict[str, Any]]


def insert(model: type[models.Model], numbers: Iterable[int], make: Make, **same: Any) -> None:
    """Inserts a row for each number, with the values of `make`. `same` is the same in all rows."""
    fields = model._meta.concrete_fields  # noqa: SLF001
    blank = model(**same)
    for field in fields:
        if isinstance(field, models.DateTimeField) and not field.null:
            setattr(blank, field.attname, timezone.now())
    constants = [f.get_db_prep_save(getattr(blank, f.attname), connection) for f in fields]
    place = {field.attname: n for n, field in enumerate(fields)}

    def prepared() -> Iterator[list[Any]]:
        for number in numbers:
            row = constants.copy()
            for name, value in make(number).items():
                row[place[name]] = fields[place[name]].get_db_prep_save(value, connection)
            yield row

    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    _copy(connection.ops.quote_name(model._meta.db_table), columns, len(fields), prepared())  # noqa: SLF001


def _copy(table: str, columns: str, width: int, prepared: Iterator[list[Any]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in prepared:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * width)
            statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            while part := list(islice(prepared, _BATCH)):
                cursor.executemany(statement, part)


def fill(number: int) -> None:
    """Creates `number` keys of Latchkey and of each similar package."""
    insert(Organization, range(-(-number // _EACH)), rows.organization)
    insert(ApiKey, range(number), lambda n: rows.key(n, n // _EACH), scopes=_SCOPES)
    insert(ApiKeySecret, range(number), rows.secret, pepper=conf.peppers().newest)
    insert(PeerKey, range(number), rows.peer_key)
    insert(User, range(number), rows.user)
    insert(AuthToken, range(number), rows.knox_token)


def fill_lists(sizes: Iterable[int]) -> None:
    """Creates an organization of each size, with that many keys. User 0 is the admin of each."""
    insert(User, [0], rows.user)
    first = 0
    for owner, size in enumerate(sizes):
        insert(Organization, [owner], rows.organization)
        insert(Membership, [owner], rows.membership, role=Role.ADMIN)
        numbers = range(first, first + size)
        insert(ApiKey, numbers, partial(rows.key, owner=owner), scopes=_SCOPES)
        insert(ApiKeySecret, numbers, rows.secret, pepper=conf.peppers().newest)
        first += size


def measure() -> dict[str, float]:
    """Bytes per key with everything that belongs to it, including indexes. Only on PostgreSQL."""
    if connection.vendor != "postgresql":
        return {}
    tables: dict[str, list[type[models.Model]]] = {
        "ours": [ApiKey, ApiKeySecret],
        "drf-api-key": [PeerKey],
        "knox": [AuthToken],
    }
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        return {name: _bytes_per_row(cursor, found) for name, found in tables.items()}


def _bytes_per_row(cursor: Any, tables: list[type[models.Model]]) -> float:
    total = 0
    for model in tables:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [model._meta.db_table])  # noqa: SLF001
        total += cursor.fetchone()[0]
    return round(total / max(1, tables[0]._default_manager.count()), 1)  # noqa: SLF001


def fill_database(what: str, sizes: list[int]) -> dict[str, Any]:
    """Fills the database of `DATABASE_URL`. Returns its facts for the benchmark."""
    began = time.monotonic()
    call_command("migrate", verbosity=0)
    facts: dict[str, Any] = {}
    if what == "keys":
        with transaction.atomic():
            fill(sizes[0])
        facts["bytes_per_key"] = measure()
    else:
        with transaction.atomic():
            fill_lists(sizes)
        measure()
        visitor = Client()
        visitor.force_login(User.objects.get())
        facts["session"] = visitor.cookies["sessionid"].value
    facts["seconds"] = round(time.monotonic() - began, 1)
    return facts
