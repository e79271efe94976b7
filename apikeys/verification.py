"""The hot path: what a presented string opens, decided by at most one query.

It knows neither HTTP nor the services, and it writes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Subquery
from django.utils import timezone

from apikeys import conf, tokens, verified
from apikeys.models import ApiKeySecret
from organizations.models import Clock

Converter = Callable[[Any, Any, Any], Any]
Fetch = Callable[[str, list[bytes]], tuple[Any, ...] | None]


class Refusal(StrEnum):
    """Why a string opens nothing. Only the holder of a genuine secret is told which."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    NOT_LOOKED_UP = "not_looked_up"
    REVOKED = "key_revoked"
    ROTATED = "key_rotated"
    EXPIRED = "key_expired"
    DISABLED = "key_disabled"
    SERVICE_ACCOUNT_DISABLED = "service_account_disabled"
    API_ACCESS_DISABLED = "api_access_disabled"


class FoundSecret(NamedTuple):
    """The row behind a genuine secret: the secret, its key, and all that decides about it.

    A tuple, which takes a quarter of the time to make that a frozen dataclass of this size does.
    """

    secret_id: UUID
    prefix: str
    pepper: int
    ends_at: datetime | None
    key_id: UUID
    name: str
    environment: str
    scopes: list[str]
    expires_at: datetime | None
    disabled_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_by_id: UUID | None
    organization_id: UUID
    api_access_enabled: bool
    organization_tier: str
    own_tier: str
    service_account_id: UUID | None
    service_account_disabled_at: datetime | None

    @property
    def tier(self) -> str:
        """The key's own tier, or else its organization's."""
        return self.own_tier or self.organization_tier

    @property
    def usable_until(self) -> datetime | None:
        """The end of the key or of this secret, whichever comes first; None for no end."""
        if self.expires_at and self.ends_at:
            return min(self.expires_at, self.ends_at)
        return self.expires_at or self.ends_at


@dataclass(slots=True)
class Outcome:
    """What was found, if anything, and why it is refused, if it is; `since` is when it ended.

    `digest` is that of a well-formed secret under the newest pepper.
    """

    found: FoundSecret | None
    refusal: Refusal | None
    since: datetime | None = None
    digest: bytes = field(default=b"", repr=False)


#: The digest, then the fields of `FoundSecret` in their order; the clock's number comes last.
_COLUMNS: Final = (
    "digest",
    "id",
    "prefix",
    "pepper",
    "ends_at",
    "key_id",
    "key__name",
    "key__environment",
    "key__scopes",
    "key__expires_at",
    "key__disabled_at",
    "key__revoked_at",
    "last_used_at",
    "key__created_by_id",
    "key__organization_id",
    "key__organization__api_access_enabled",
    "key__organization__rate_limit_tier",
    "key__rate_limit_tier",
    "key__service_account_id",
    "key__service_account__disabled_at",
)
#: Of an answer that must not be kept: the clock never shows it.
_NO_NUMBER: Final = -1


def verify(presented: str, *, may_look_up: Callable[[bytes], bool] | None = None) -> Outcome:
    """Decides about a presented string. No query for a malformed one, one for any other.

    `may_look_up` is asked before the query, with the digest of a secret that this process has not
    accepted before.
    """
    if not tokens.has_shape(presented):
        return Outcome(None, Refusal.MALFORMED)
    peppers = conf.peppers()
    digest = peppers.digest(presented, peppers.newest)
    found = verified.held(digest)
    if found is None:
        if not tokens.has_checksum(presented):  # what is held has it
            return Outcome(None, Refusal.MALFORMED)
        if may_look_up and not verified.cache.knows(digest) and not may_look_up(digest):
            return Outcome(None, Refusal.NOT_LOOKED_UP, digest=digest)
        return _look_up(presented, digest)
    refusal, since = _judge_again(found)
    return Outcome(found, refusal, since, digest)


def _look_up(presented: str, digest: bytes) -> Outcome:
    """Asks the database, and keeps an answer that opens something."""
    verified.start()
    peppers = conf.peppers()
    try:
        found, number = _find(peppers.digests(presented) if len(peppers.values) > 1 else [digest])
    except (OperationalError, InterfaceError):
        found = verified.held_while_away(digest)
        if found is None:
            raise
        refusal, since = _judge_again(found)
        return Outcome(found, refusal, since, digest)
    if found is None:
        return Outcome(None, Refusal.UNKNOWN, digest=digest)
    refusal, since = judge(found, timezone.now())
    # Within a transaction the row may be one that is never committed.
    if refusal is None:
        verified.keep(digest, found, _NO_NUMBER if connection.in_atomic_block else number)
    return Outcome(found, refusal, since, digest)


def _find(digests: list[bytes]) -> tuple[FoundSecret | None, int]:
    """The row with one of the digests, by the unique index on them, and the clock: one query.

    Whatever gets mixed up on the way to the database, an answer about another secret opens nothing.
    """
    database = connections[DEFAULT_DB_ALIAS]  # once: each look at Django's proxy takes 2 µs
    sql, converters = _compiled(database.vendor, len(digests))
    row = _fetch(database, sql, digests)
    if row is None or row[0] not in digests:
        return None, _NO_NUMBER
    values = list(row)
    for position, convert, expression in converters:
        values[position] = convert(values[position], expression, database)
    number = _NO_NUMBER if values[-1] is None else values[-1]
    return FoundSecret._make(values[1:-1]), number


def read_again(secret_id: UUID) -> FoundSecret | None:
    """What decides about a secret that was verified before, as the transaction sees it now."""
    row = ApiKeySecret.objects.filter(pk=secret_id).values_list(*_COLUMNS).first()
    return FoundSecret._make(row[1:]) if row else None


def _fetch(database: BaseDatabaseWrapper, sql: str, digests: list[bytes]) -> tuple[Any, ...] | None:
    """The row, from a statement that PostgreSQL has planned before (config.postgresql)."""
    fetch: Fetch | None = getattr(database, "fetch_prepared", None)
    if fetch:
        return fetch(sql, digests)
    with database.cursor() as cursor:
        cursor.execute(sql, digests)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


@cache
def _compiled(vendor: str, digests: int) -> tuple[str, list[tuple[int, Converter, Any]]]:
    """The query as SQL, with what turns its columns into values; compiling it is what costs."""
    unlike = [number.to_bytes(32, "big") for number in range(digests)]
    number = Subquery(Clock.objects.values("number")[:1])
    rows = ApiKeySecret.objects.filter(digest__in=unlike).values_list(*_COLUMNS, number)
    compiler = rows.query.get_compiler(connection=connection)
    sql, _ = compiler.as_sql()
    columns = [column for column, *_ in compiler.select]
    converters = compiler.get_converters(columns)
    steps = [(n, step, column) for n, (found, column) in converters.items() for step in found]
    return sql, steps


def _judge_again(found: FoundSecret) -> tuple[Refusal | None, datetime | None]:
    """What is held can have met its end since, and nothing else."""
    if found.ends_at is None and found.expires_at is None:
        return None, None
    return judge(found, timezone.now())


def judge(found: FoundSecret, now: datetime) -> tuple[Refusal | None, datetime | None]:
    """The first reason to refuse; revocation comes first, since it overrides any grace."""
    if found.revoked_at:
        return Refusal.REVOKED, found.revoked_at
    if found.ends_at and found.ends_at <= now:
        return Refusal.ROTATED, found.ends_at
    if found.expires_at and found.expires_at <= now:
        return Refusal.EXPIRED, found.expires_at
    if found.disabled_at:
        return Refusal.DISABLED, found.disabled_at
    if found.service_account_disabled_at:
        return Refusal.SERVICE_ACCOUNT_DISABLED, found.service_account_disabled_at
    if not found.api_access_enabled:
        return Refusal.API_ACCESS_DISABLED, None
    return None, None
