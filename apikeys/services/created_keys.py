"""Which keys were created with a key, with those in turn, and so on."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import connection, models

from core.exceptions import Conflict, ErrorCode, Problem

#: The most keys that are followed, revoked ones included: a revoked key may have created others.
MOST_FOLLOWED: Final = 10_000
_CREATED: Final = """
    WITH RECURSIVE created(id, is_live) AS (
        VALUES {makers}
        UNION
        SELECT child.id, child.revoked_at IS NULL FROM created {children}
    )
    SELECT id, is_live FROM created LIMIT %s
"""
#: PostgreSQL expects of each key as many others as of the average maker, and would read the whole
#: table, for each key or each generation. A range of one value, of which it expects few, and
#: OFFSET 0, which it does not merge with the rest, keep it to the index, whatever its statistics.
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
    """Ids of the unrevoked keys that the keys `makers` created, directly or not.

    Raises Conflict where there are too many to follow.
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
    """The refusal to revoke more keys than one call may."""
    code = ErrorCode.TOO_MANY_KEYS
    return Conflict(message, code=code, problems=[Problem(field, code, message)])
