"""Creates a long audit log, as the services would have."""

from django.db import connection

from core import transactions
from organizations.models import AuditEvent, Organization

_BATCH = 2_000


def fill_trail(organization: Organization, count: int) -> None:
    """So many events of an organization, with the statistics that a database in service has."""
    with transactions.allowed():
        for start in range(0, count, _BATCH):
            AuditEvent.objects.bulk_create(
                AuditEvent(
                    event="api_key.updated",
                    organization_id=organization.pk,
                    actor_kind="person",
                    actor_label="Ada Acme",
                    target_type="ApiKey",
                    target_label=f"Key {number}",
                )
                for number in range(start, min(start + _BATCH, count))
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE organizations_auditevent")
