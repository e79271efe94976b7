"""Who may see what. Every read begins at one of these."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from django.apps import apps
from django.db import connection, models

from organizations import ids
from organizations.actors import Actor, ActorKind
from organizations.writes import GuardedQuerySet, M

if TYPE_CHECKING:
    from organizations.models import (
        AuditEvent,
        Invitation,
        Membership,
        Organization,
        ServiceAccount,
    )

#: An event's id and its time are made one after the other.
_SLACK: Final = timedelta(minutes=1)
#: Ids are made by the clock, numbers are not. Where the clock went back, events of two stretches
#: have the same times; the range of numbers is that of so many events that are nearest to a time.
_OVERLAP: Final = 500


class OwnedQuerySet(GuardedQuerySet[M]):
    """Rows that belong to an organization through `organization_id`."""

    def for_organization(self, organization_id: UUID) -> Self:
        """The rows of one organization."""
        return self.filter(organization_id=organization_id)

    def visible_to(self, actor: Actor) -> Self:
        """What `actor` may know of: a key its own organization's, a person their organizations'."""
        if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.all()
        if actor.kind is ActorKind.KEY and actor.organization_id:
            return self.for_organization(actor.organization_id)
        if actor.kind is ActorKind.PERSON:
            return self.filter(organization_id__in=_organizations_of(actor))
        return self.none()


def _organizations_of(actor: Actor) -> models.QuerySet["Membership", UUID]:
    """Ids of the organizations of a person; models lie above this module, hence the look-up."""
    memberships: MembershipQuerySet = apps.get_model("organizations", "Membership").objects.all()
    return memberships.filter(user_id=actor.principal_id, user__is_active=True).values_list(
        "organization_id", flat=True
    )


class OrganizationQuerySet(GuardedQuerySet["Organization"]):
    """Organizations, as their keys, members and staff see them."""

    def visible_to(self, actor: Actor) -> Self:
        """A key sees its own organization, a person theirs, staff and the system all."""
        if actor.kind in (ActorKind.STAFF, ActorKind.SYSTEM):
            return self.all()
        if actor.kind is ActorKind.KEY:
            return self.filter(id=actor.organization_id)
        return self.filter(id__in=_organizations_of(actor))


class MembershipQuerySet(OwnedQuerySet["Membership"]):
    """People in organizations."""

    def admins(self) -> Self:
        """The memberships with the admin role."""
        return self.filter(role="admin")

    def with_second_factor(self) -> Self:
        """Each with `has_second_factor`: whether the person signs in with more than a password."""
        factors = apps.get_model("mfa", "Authenticator").objects.exclude(type="recovery_codes")
        mine = factors.filter(user_id=models.OuterRef("user_id"))
        return self.annotate(has_second_factor=models.Exists(mine))


class ServiceAccountQuerySet(OwnedQuerySet["ServiceAccount"]):
    """Machine principals of organizations."""


class InvitationQuerySet(OwnedQuerySet["Invitation"]):
    """Invitations to organizations."""

    def open(self) -> Self:
        """Those that can be accepted, or sent again where they have expired."""
        return self.filter(accepted_at=None, revoked_at=None)

    def accepted(self) -> Self:
        """Those that have been used to join."""
        return self.exclude(accepted_at=None)

    def sent_by(self, person_id: UUID) -> Self:
        """Those that a person has made."""
        return self.filter(invited_by_id=person_id)

    def with_authority(self) -> Self:
        """Those whose sender could still invite today; the system always can."""
        return self.filter(_sender_may_invite())

    def without_authority(self) -> Self:
        """Those whose sender is deactivated, or neither an admin of the organization nor staff."""
        return self.filter(~_sender_may_invite())


def _sender_may_invite() -> models.Q:
    memberships: MembershipQuerySet = apps.get_model("organizations", "Membership").objects.all()
    as_admin = memberships.admins().filter(
        organization_id=models.OuterRef("organization_id"),
        user_id=models.OuterRef("invited_by_id"),
    )
    is_admin_or_staff = models.Q(models.Exists(as_admin)) | models.Q(invited_by__is_staff=True)
    return models.Q(invited_by=None) | (models.Q(invited_by__is_active=True) & is_admin_or_staff)


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
        organizations: OrganizationQuerySet = apps.get_model(
            "organizations", "Organization"
        ).objects.filter(id=organization_id)
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
