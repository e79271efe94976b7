"""Finds the keys that a key created, directly or indirectly."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import connection, models

from core.exceptions import Conflict, ErrorCode, Problem

#: Maximum number of keys to follow, including revoked ones, which may have created others.
MOST_FOLLOWED: Final = 10_000
_CREATED: Final = """
    WITH RECURSIVE created(id, is_live) AS (
        VALUES {makers}
        UNION
        SELECT child.id, child.revoked_at IS NULL FROM created {children}
    )
    SELECT id, is_live FROM created LIMIT %s
"""
#: PostgreSQL overestimates how many keys each key created, and would read the whole table per key
#: or generation. A range of one value, for which it expects few rows, and OFFSET 0, which prevents
#: merging the subquery, make it use the index for any statistics.
_CHILDREN: Final = {
    "postgresql": """
        CROSS JOIN LATERAL (
            SELECT id, revoked_at FROM apikeys_apikey
            WHERE created_by_key_id >= created.id AND created_by_key_id <= created.id OFFSET 0
        ) AS child""",
    "sqlite": "JOIN apikeys_apikey AS child ON child.created_by_key_id = created.id",
}
_id: Final = models.UUIDField()


def created_by(makers: Collection[UUID]) -> set[UUID]:
    """IDs of the live keys that the keys `makers` created, directly or indirectly.

    Raises Conflict if there are too many to follow.
    """
    if not makers:
        return set()
    values = [_id.get_db_prep_value(maker, connection) for maker in makers]
    query = _CREATED.format(
        makers=", ".join(["(%s, FALSE)"] * len(values)), children=_CHILDREN[connection.vendor]
    )
    most = len(values) + MOST_FOLLOWED
    with connection.cursor() as cursor:
        cursor.execute(query, [*values, most + 1])
        rows = cursor.fetchall()
    if len(rows) > most:
        raise too_many("cascade", f"These keys created more than {MOST_FOLLOWED:,} others.")
    return {_id.to_python(pk) for pk, is_live in rows if is_live}


def too_many(field: str, message: str) -> Conflict:
    """The error for revoking too many keys in one request."""
    code = ErrorCode.TOO_MANY_KEYS
    return Conflict(message, code=code, problems=[Problem(field, code, message)])
