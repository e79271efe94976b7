"""Admin of invitations."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from organizations import services
from organizations.admin.base import ServiceAdmin, staff_actor
from organizations.admin.display import moment
from organizations.models import Invitation


@admin.register(Invitation)
class InvitationAdmin(ServiceAdmin[Invitation]):
    """Staff can view and revoke invitations. Links are only in emails."""

    id_prefix = "inv"
    permissions_in_use = ("view", "change")
    list_display = ("email", "organization", "role", "state", "invited_by", "expires")
    list_filter = ("role", "created_at")
    list_select_related = ("organization", "invited_by")
    search_fields = ("email", "organization__name")
    fields = readonly_fields = (
        "public_id",
        *list_display,
        "created_at",
        "accepted_at",
        "revoked_at",
    )
    actions = ("revoke",)
    ordering = ("-id",)

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, invitation: Invitation) -> str:
        return moment(invitation.expires_at)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    @admin.action(description="Revoke the selected invitations", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        actor = staff_actor(request)
        self.act_on_each(
            request,
            queryset,
            lambda invitation: services.revoke_invitation(invitation, actor=actor),
            "Revoked invitations",
        )

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Requires Django's permission to change invitations."""
        return request.user.has_perm("organizations.change_invitation")
