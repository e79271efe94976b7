"""The audit log."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from django.db import connection, models

from core import ids
from core.actors import Actor, ActorKind
from core.sequences import SequenceField
from core.transactions import GuardedModel
from organizations.models.organizations import Organization, OwnedQuerySet

#: An event's ID and `at` are set one after the other, so they can differ slightly.
_SLACK: Final = timedelta(minutes=1)


#: IDs follow the clock, numbers don't. If the clock went back, events of two periods have the same
#: times. So the range of numbers is taken from this many events nearest to a time.
_OVERLAP: Final = 500


class AuditEventQuerySet(OwnedQuerySet["AuditEvent"]):
    """Queries of the audit log. It only grows, so searches limit the rows that they read."""

    def log_of(self, organization_id: UUID) -> Self:
        """The events of one organization, newest first, by their own index."""
        return self._along("organization_id", organization_id)

    def visible_log_of(self, organization_id: UUID, actor: Actor) -> Self:
        """The same, if `actor` may see the organization.

        Checks this once per query. `visible_to` checks it per event; PostgreSQL may use a join for
        that and read and sort all events first.
        """
        organizations = Organization.objects.filter(id=organization_id)
        visible = models.Exists(organizations.visible_to(actor))
        return self.log_of(organization_id).filter(visible)

    def about(self, target_id: UUID) -> Self:
        """The events of one target, newest first, by their own index."""
        return self._along("target_id", target_id)

    def _along(self, column: str, value: UUID) -> Self:
        """Keeps PostgreSQL from using the index on all numbers, which has the same order.

        With that index it would read all events since the last matching one. So the column may also
        have the nil UUID, which no event has.
        """
        return self.filter(**{f"{column}__in": [value, UUID(int=0)]}).order_by(column, "-number")

    def bulk_create(self, objs: Iterable["AuditEvent"], *args: Any, **options: Any) -> Any:
        """Numbers the events in the order of `objs`."""
        events = list(objs)
        for place, event in enumerate(events, 1):
            event.number = self.model._meta.get_field("number").next(place)  # noqa: SLF001
        return super().bulk_create(events, *args, **options)

    def since(self, moment: datetime) -> Self:
        """The events since `moment`, found by a range of numbers."""
        nearest = self._all().filter(id__gte=ids.first_id(moment - _SLACK)).order_by("id")
        first = nearest[:_OVERLAP].aggregate(found=models.Min("number"))["found"]
        return self.filter(number__gte=first or 0, at__gte=moment)

    def before(self, moment: datetime) -> Self:
        """The events before `moment`, found by a range of numbers."""
        nearest = self._all().filter(id__lt=ids.first_id(moment + _SLACK)).order_by("-id")
        last = nearest[:_OVERLAP].aggregate(found=models.Max("number"))["found"]
        return self.filter(number__lte=last or 0, at__lt=moment)

    def _all(self) -> "AuditEventQuerySet":
        found: AuditEventQuerySet = self.model._default_manager.all()  # noqa: SLF001
        return found

    def oldest_of_newest(self, number: int) -> "tuple[int, datetime] | None":
        """Number and time of the `number`-th event in order, None if there are fewer."""
        return self.values_list("number", "at")[number - 1 : number].first()

    def among_newest(self, number: int, condition: models.Q, most: int) -> "list[AuditEvent]":
        """At most `most` events that meet `condition`, among the first `number` in order.

        No other rows are read: the planner respects the LIMIT of a subquery. The ORM can't use a
        subquery as a table, so the table's name in FROM is replaced.
        """
        table = connection.ops.quote_name(self.model._meta.db_table)  # noqa: SLF001
        newest, inner = self[:number].query.sql_with_params()
        matching = self.model.objects.filter(condition).order_by("-number")[:most]
        sql, outer = matching.query.sql_with_params()
        sql = sql.replace(f"FROM {table}", f"FROM ({newest}) AS {table}", 1)
        return list(self.raw(sql, (*inner, *outer)))


class AuditEvent(GuardedModel):
    """Who did what to which target, when and from where.

    Append-only and without foreign keys: an event outlives its subjects. `number` is its position
    in the log. The order of `at` and of IDs can differ if the clock went back.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    number = SequenceField(unique=True, editable=False)
    at = models.DateTimeField(auto_now_add=True)
    event = models.CharField(max_length=60)
    organization_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=10, choices=[(k, k.capitalize()) for k in ActorKind])
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=320)
    target_type = models.CharField(max_length=30)
    target_id = models.UUIDField(null=True)
    target_label = models.CharField(max_length=320)
    ip = models.GenericIPAddressField("IP address", null=True)
    user_agent = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    details = models.JSONField(default=dict)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "-number"], name="audit_by_organization"),
            models.Index(fields=["target_id", "-number"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.event} {self.target_label}"
