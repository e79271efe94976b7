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

#: An event's id and its time are made one after the other.
_SLACK: Final = timedelta(minutes=1)


#: Ids are made by the clock, numbers are not. Where the clock went back, events of two stretches
#: have the same times; the range of numbers is that of so many events that are nearest to a time.
_OVERLAP: Final = 500


class AuditEventQuerySet(OwnedQuerySet["AuditEvent"]):
    """The audit trail. It grows without end, so searches bound the rows that they look at."""

    def trail_of(self, organization_id: UUID) -> Self:
        """The events of one organization, newest first, read along their own index."""
        return self._along("organization_id", organization_id)

    def visible_trail(self, organization_id: UUID, actor: Actor) -> Self:
        """The same, if `actor` may see the organization.

        That is asked once for the query. `visible_to` asks it for each event, for which PostgreSQL
        may join, and then read and sort all events first.
        """
        organizations = Organization.objects.filter(id=organization_id)
        visible = models.Exists(organizations.visible_to(actor))
        return self.trail_of(organization_id).filter(visible)

    def about(self, target_id: UUID) -> Self:
        """The events of one target, newest first, read along their own index."""
        return self._along("target_id", target_id)

    def _along(self, column: str, value: UUID) -> Self:
        """Rules out the index of all numbers, which has the same order within one `column`.

        PostgreSQL may prefer it, and then reads all that others have done since the last of these
        events. So the column may have another value, the nil UUID, which nothing has.
        """
        return self.filter(**{f"{column}__in": [value, UUID(int=0)]}).order_by(column, "-number")

    def bulk_create(self, objs: Iterable["AuditEvent"], *args: Any, **options: Any) -> Any:
        """In the order of `objs`."""
        events = list(objs)
        for place, event in enumerate(events, 1):
            event.number = self.model._meta.get_field("number").next(place)  # noqa: SLF001
        return super().bulk_create(events, *args, **options)

    def since(self, moment: datetime) -> Self:
        """The events from `moment` on, found by the range of their numbers."""
        nearest = self._all().filter(id__gte=ids.first_id(moment - _SLACK)).order_by("id")
        first = nearest[:_OVERLAP].aggregate(found=models.Min("number"))["found"]
        return self.filter(number__gte=first or 0, at__gte=moment)

    def before(self, moment: datetime) -> Self:
        """The events before `moment`, found by the range of their numbers."""
        nearest = self._all().filter(id__lt=ids.first_id(moment + _SLACK)).order_by("-id")
        last = nearest[:_OVERLAP].aggregate(found=models.Max("number"))["found"]
        return self.filter(number__lte=last or 0, at__lt=moment)

    def _all(self) -> "AuditEventQuerySet":
        found: AuditEventQuerySet = self.model._default_manager.all()  # noqa: SLF001
        return found

    def oldest_of_newest(self, number: int) -> "tuple[int, datetime] | None":
        """Number and time of the event at place `number` of those in order; None for fewer."""
        return self.values_list("number", "at")[number - 1 : number].first()

    def among_newest(self, number: int, condition: models.Q, most: int) -> "list[AuditEvent]":
        """At most `most` events that meet `condition`, among the first `number` of those in order.

        No others are looked at: a LIMIT inside of a subquery is a limit to the planner, too. The
        ORM has no subquery in the place of a table, so the table's name in FROM is replaced.
        """
        table = connection.ops.quote_name(self.model._meta.db_table)  # noqa: SLF001
        newest, inner = self[:number].query.sql_with_params()
        matching = self.model.objects.filter(condition).order_by("-number")[:most]
        sql, outer = matching.query.sql_with_params()
        sql = sql.replace(f"FROM {table}", f"FROM ({newest}) AS {table}", 1)
        return list(self.raw(sql, (*inner, *outer)))


class AuditEvent(GuardedModel):
    """Who did what to which target, when and from where.

    Append-only, and without foreign keys: an event outlives its subjects. `number` is its place in
    the trail; clocks go back now and then, and `at` and ids with them.
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
