"""Which keys and templates an actor may see. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import Count, Exists, F, Max, OuterRef, Prefetch, Q

from apikeys.tokens import Environment
from organizations.actors import Actor
from organizations.querysets import OwnedQuerySet
from organizations.writes import GuardedQuerySet

if TYPE_CHECKING:
    from apikeys.models import ApiKey, ApiKeySecret, KeyTemplate, KeyUsage, ScopeUse, Submission


class ApiKeyQuerySet(OwnedQuerySet["ApiKey"]):
    """Keys."""

    def visible_to(self, actor: Actor) -> Self:
        """Keys of the actor's organizations; of them a test key sees test keys only."""
        keys = super().visible_to(actor)
        if actor.environment == Environment.TEST:
            return keys.filter(environment=Environment.TEST)
        return keys

    def live(self) -> Self:
        """Keys that are not revoked, usable or not."""
        return self.filter(revoked_at=None)

    def reach(self, number: int) -> int:
        """0 for fewer than `number`, 1 for exactly so many, 2 for more; no further is looked at.

        In this order, so that live keys are walked along the index that has no others in it.
        """
        names = self.order_by("name_key").values_list("name_key", flat=True)
        return len(names[number - 1 : number + 1])

    def newest_live(self, number: int) -> Self:
        """The newest keys that are not revoked, newest first, however many were revoked since.

        Where there are at most `number`, they are read along the index of live names, which has no
        others in it; along that of all ids every newer revoked key would be read as well.
        """
        live = self.live()
        ids = list(live.order_by("name_key").values_list("pk", flat=True)[: number + 1])
        if len(ids) <= number:
            live = type(self)(self.model, using=self.db).filter(pk__in=ids)
        return live.order_by("-id")[:number]

    def with_status(self, status: str, now: datetime) -> Self:
        """Keys whose derived status at `now` is `status`; the same rules as `ApiKey.status`."""
        revoked = Q(revoked_at__isnull=False)
        expired = Q(expires_at__isnull=False, expires_at__lte=now)
        disabled = Q(disabled_at__isnull=False)
        conditions = {
            "revoked": revoked,
            "expired": ~revoked & expired,
            "disabled": ~revoked & ~expired & disabled,
            "active": ~revoked & ~expired & ~disabled,
        }
        return self.filter(conditions[status])

    def for_display(self) -> Self:
        """With everything that showing a key needs, in a constant number of queries."""
        current = apps.get_model("apikeys", "ApiKeySecret").objects.current()
        secrets = Prefetch("secrets", queryset=current, to_attr="current_secrets")
        return self.select_related("organization", "service_account").prefetch_related(secrets)

    def for_pages(self) -> Self:
        """For display to people, with who made a key and, as `maker_has_left`, whether they left.

        Staff are in no organization and have left none.
        """
        here = apps.get_model("organizations", "Membership").objects.filter(
            organization_id=OuterRef("organization_id"),
            user_id=OuterRef("created_by_id"),
            user__is_active=True,
        )
        shown = self.for_display().select_related("created_by")
        return shown.annotate(maker_has_left=Q(created_by__is_staff=False) & ~Exists(here))


@dataclass(frozen=True, slots=True)
class PepperUse:
    """What hangs on a pepper: secrets that can still open something, and those that cannot."""

    pepper: int
    live: int = 0
    never_used: int = 0
    ended: int = 0
    last_used_at: datetime | None = None


class ApiKeySecretQuerySet(GuardedQuerySet["ApiKeySecret"]):
    """Secrets of keys."""

    def current(self) -> Self:
        """The newest secret of each key."""
        return self.filter(ends_at=None)

    def overlapping(self, now: datetime) -> Self:
        """Older secrets that still verify while a rotation overlaps."""
        return self.filter(ends_at__gt=now)

    def by_pepper(self, now: datetime) -> list[PepperUse]:
        """Each pepper that some secret is under. Looks at all rows; `never_used` are live ones."""
        unended = Q(ends_at=None) | Q(ends_at__gt=now)
        unexpired = Q(key__expires_at=None) | Q(key__expires_at__gt=now)
        live = unended & unexpired & Q(key__revoked_at=None)
        rows = self.values("pepper").annotate(
            live=Count("pk", filter=live),
            never_used=Count("pk", filter=live & Q(last_used_at=None)),
            ended=Count("pk") - F("live"),
            last_used_at=Max("last_used_at"),
        )
        return [PepperUse(**row) for row in rows.order_by("pepper")]


class SubmissionQuerySet(GuardedQuerySet["Submission"]):
    """Forms and calls that have made secrets."""


class KeyUsageQuerySet(models.QuerySet["KeyUsage"]):
    """Requests by key, hour and result."""

    def of(self, keys: ApiKeyQuerySet) -> Self:
        """Those of keys that the reader may see."""
        return self.filter(key__in=keys)

    def between(self, start: datetime, end: datetime) -> Self:
        """Those of the hours from `start` to before `end`."""
        return self.filter(hour__gte=start, hour__lt=end)


class ScopeUseQuerySet(models.QuerySet["ScopeUse"]):
    """Days on which scopes were last used."""


class KeyTemplateQuerySet(OwnedQuerySet["KeyTemplate"]):
    """Presets for keys."""
