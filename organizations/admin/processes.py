"""Admin of the processes that revocations wait for: the revocation clock's followers."""

from django.contrib import admin
from django.db.models import F, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from organizations.admin.base import ReadOnlyAdmin
from organizations.admin.display import moment, state
from organizations.models import Clock, Follower


@admin.register(Follower)
class FollowerAdmin(ReadOnlyAdmin[Follower]):
    """One row per worker. The row of a dead worker is removed after ten of its leases."""

    list_display = ("process", "applied", "started", "last_change", "lease_seconds")
    fields = readonly_fields = (*list_display, "heartbeats", "uuid")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Follower]:
        last = Subquery(Clock.objects.values("number")[:1])
        return super().get_queryset(request).annotate(behind=last - F("number"))

    @admin.display(description="Revocations")
    def applied(self, follower: Follower) -> SafeString:
        """More than a few missing changes for a long time mean a frozen process."""
        behind: int = follower.behind  # type: ignore[attr-defined]
        return state("warn", f"{behind:,} behind") if behind else state("ok", "Up to date")

    @admin.display(description="Started", ordering="started_at")
    def started(self, follower: Follower) -> str:
        return moment(follower.started_at)

    @admin.display(description="Last change applied", ordering="number")
    def last_change(self, follower: Follower) -> str:
        return f"No. {follower.number:,}"

    @admin.display(description="Lease", ordering="lease")
    def lease_seconds(self, follower: Follower) -> str:
        """How long the process may verify keys after its last heartbeat."""
        return f"{follower.lease:g} seconds"

    @admin.display(description="Heartbeats")
    def heartbeats(self, follower: Follower) -> str:
        return f"{follower.beat:,}"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
