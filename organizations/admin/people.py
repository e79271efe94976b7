"""People and their memberships."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations import services
from organizations.admin.base import ServiceAdmin, ServiceForm, StaffPages, adopt, staff_actor
from organizations.forms import NewUserForm, UserForm
from organizations.models import Invitation, Membership, User
from organizations.roles import Role

_AUTHORITY: Final = ("is_staff", "is_superuser", "user_permissions")

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(StaffPages[User], DjangoUserAdmin[User]):
    """People, who sign in by e-mail. They are deactivated, never deleted."""

    id_prefix = "usr"
    form = UserForm
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("public_id", "last_login", "date_joined")
    filter_horizontal = ("user_permissions",)
    fieldsets = (
        (None, {"fields": ("email", "name", "public_id", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody but a superuser changes other staff: a new password would lend their powers."""
        powerful = obj is not None and (obj.is_staff or obj.is_superuser) and obj != request.user
        within = request.user.is_superuser or not powerful
        return within and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody but a superuser hands out permissions, least of all to themselves."""
        authority = () if request.user.is_superuser else _AUTHORITY
        return (*self.readonly_fields, *authority)

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[Any], change: bool
    ) -> None:
        services.save_person(obj, changed=form.changed_data, actor=staff_actor(request))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Django's page for setting a password, with an event when it has set one."""
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            user = self.get_object(request, unquote(id))
            if request.method == "POST" and response.status_code == 302 and user:
                services.record_password_set(user, actor=staff_actor(request))
        return response


class MembershipForm(ServiceForm):
    """Both pages of a membership."""

    class Meta:
        model = Membership
        fields = ("organization", "user", "role")


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin[Membership]):
    """Who belongs to which organization, and as what."""

    form = MembershipForm
    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name")
    autocomplete_fields = ("organization", "user")
    actions = ("remove",)
    ordering = ("organization__name", "user__email")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ("organization", "user") if obj else ()

    def save_model(
        self, request: HttpRequest, obj: Membership, form: forms.ModelForm[Any], change: bool
    ) -> None:
        actor, new = staff_actor(request), form.cleaned_data
        role = Role(new["role"])
        if change:
            return adopt(obj, services.change_role(obj, role=role, actor=actor))
        organization, user = new["organization"], new["user"]
        made = services.add_member(organization, user=user, role=role, actor=actor)
        return adopt(obj, made)

    @admin.action(
        description="Remove the selected people from their organizations", permissions=["remove"]
    )
    def remove(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """Ends memberships; an organization's last admin stays."""
        actor = staff_actor(request)
        self.act_on_each(
            request,
            queryset,
            lambda membership: services.remove_member(membership, actor=actor),
            "Removed people",
        )

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Whether the staff member may delete memberships, as Django's permissions say."""
        return request.user.has_perm("organizations.delete_membership")


@admin.register(Invitation)
class InvitationAdmin(ServiceAdmin[Invitation]):
    """Who was invited where. Staff look, and revoke; the links are in the mails alone."""

    id_prefix = "inv"
    list_display = ("email", "organization", "role", "state", "invited_by", "expires_at")
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    @admin.action(description="Revoke the selected invitations", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Ends invitations that are open."""
        actor = staff_actor(request)
        self.act_on_each(
            request,
            queryset,
            lambda invitation: services.revoke_invitation(invitation, actor=actor),
            "Revoked invitations",
        )

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the staff member may change invitations, as Django's permissions say."""
        return request.user.has_perm("organizations.change_invitation")
