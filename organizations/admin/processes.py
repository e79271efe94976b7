"""Admin of the processes that revocations wait for: the revocation clock's followers."""

from django.contrib import admin
from django.http import HttpRequest

from organizations.admin.base import ReadOnlyAdmin
from organizations.models import Clock, Follower


@admin.register(Follower)
class FollowerAdmin(ReadOnlyAdmin[Follower]):
    """One row per worker. The row of a dead worker is removed after ten of its leases."""

    list_display = ("process", "started_at", "lease", "number", "behind")
    fields = readonly_fields = ("process", "started_at", "lease", "number", "beat", "id")
    show_full_result_count = False

    @admin.display(description="Changes behind")
    def behind(self, follower: Follower) -> int:
        """Changes not applied yet. More than a few for a long time mean a frozen process."""
        return Clock.objects.get().number - follower.number

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
