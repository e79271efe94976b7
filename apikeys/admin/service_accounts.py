"""Admin of service accounts, extended: whether one can be deleted depends on its keys."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apikeys import services
from organizations.admin import ServiceAccountAdmin
from organizations.admin.base import staff_actor
from organizations.models import ServiceAccount

admin.site.unregister(ServiceAccount)


@admin.register(ServiceAccount)
class DeletableServiceAccountAdmin(ServiceAccountAdmin):
    """Hides deleted accounts. Their events stay in the audit log."""

    actions = (*ServiceAccountAdmin.actions, "remove")  # type: ignore[assignment]  # one more

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceAccount]:
        return super().get_queryset(request).filter(deleted_at=None)

    @admin.action(description="Delete the selected service accounts", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[ServiceAccount]) -> None:
        """Refuses those that have keys that are not revoked."""
        actor = staff_actor(request)

        def act(account: ServiceAccount) -> Any:
            return services.delete_service_account(account, actor=actor)

        accounts = queryset.select_related("organization")
        self.act_on_each(request, accounts, act, "Deleted service accounts")

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Requires Django's permission to delete service accounts."""
        return request.user.has_perm("organizations.delete_serviceaccount")
