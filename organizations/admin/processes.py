"""The processes that follow the revocation clock: which of them a revocation waits for."""

from django.contrib import admin
from django.http import HttpRequest

from organizations.admin.base import ReadOnlyAdmin
from organizations.models import Clock, Follower


@admin.register(Follower)
class FollowerAdmin(ReadOnlyAdmin[Follower]):
    """One row for each worker; the row of a worker that died goes after ten of its leases."""

    list_display = ("process", "started_at", "lease", "number", "behind")
    fields = readonly_fields = ("process", "started_at", "lease", "number", "beat", "id")
    show_full_result_count = False

    @admin.display(description="Changes behind")
    def behind(self, follower: Follower) -> int:
        """How many changes it has not applied yet; more than a few for long: it is frozen."""
        return Clock.objects.get().number - follower.number

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
