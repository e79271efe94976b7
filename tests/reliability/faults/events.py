"""Creates many audit events quickly, as the services would have."""

from uuid import UUID

from django.db import connection

#: One event a second up to now, or to some hours ago, numbered in that order; ids are UUIDv7 of
#: the same moments.
_INSERT = """
INSERT INTO organizations_auditevent (
    id, at, event, organization_id, actor_kind, actor_id, actor_label, target_type, target_id,
    target_label, ip, user_agent, request_id, details
)
SELECT
    (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
    at, 'api_key.updated', %s, 'person', NULL, 'Person ' || n %% 50, 'ApiKey',
    md5((n %% 500)::text)::uuid, 'Key ' || n %% 500, NULL, '', 'req_' || n, '{}'
FROM (
    SELECT n, now() - (%s - n) * interval '1 second' - %s * interval '1 hour' AS at
    FROM generate_series(1, %s) AS n
) AS numbered
"""


def add_events(organization_id: UUID, count: int, *, ended_hours_ago: int = 0) -> None:
    """So many events of one organization; PostgreSQL only."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [organization_id, count, ended_hours_ago, count])
        cursor.execute("ANALYZE organizations_auditevent")
