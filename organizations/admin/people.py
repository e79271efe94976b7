"""Admin of users and memberships."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString

from core.exceptions import Forbidden
from organizations import services
from organizations.admin.base import (
    ServiceAdmin,
    ServiceForm,
    adopt,
    staff_actor,
)
from organizations.admin.display import moment, state
from organizations.admin.forms import PermissionsField, UserForm, permission_in_words
from organizations.admin.step_up import RecentForm, confirmed
from organizations.models import Membership, User
from organizations.pages.personal_data import as_file
from organizations.roles import Role

_OF_STAFF: Final = "Only a superuser can do this to other staff."
_AUTHORITY: Final = ("is_staff", "is_superuser", "user_permissions")

admin.site.unregister(Group)


class PersonForm(RecentForm, UserForm):
    """The add and change form of a user."""

    harmless = frozenset({"name"})


@admin.register(User)
class UserAdmin(ServiceAdmin[User], DjangoUserAdmin[User]):
    """Users are deactivated, never deleted.

    Staff can't set passwords. They send a link to set one.
    """

    id_prefix = "usr"
    form = add_form = PersonForm
    ordering = ("email",)
    list_display = ("address", "name", "status", "staff", "last_sign_in")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("public_id", "second_factors", "last_login", "date_joined")
    filter_horizontal = ()
    actions = ("send_password_link", "end_sessions", "remove_second_factors", "export_data")
    fieldsets = (
        (None, {"fields": ("email", "name", "second_factors", "public_id")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": ("email", "name"),
                "description": "Afterwards, email a password-setup link from the list of users.",
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Removes Django's page to set a user's password."""
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only superusers may change other staff: a new email address would give access."""
        powerful = obj is not None and (obj.is_staff or obj.is_superuser) and obj != request.user
        within = request.user.is_superuser or not powerful
        return within and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only superusers may change permissions."""
        authority = () if request.user.is_superuser else _AUTHORITY
        return (*self.readonly_fields, *authority, "held_permissions")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Without the right to change permissions, they are shown in words."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [(title, {**options, "fields": _in_words(options)}) for title, options in fieldsets]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Checkboxes in plain words in place of Django's list of codes."""
        if db_field.name == "user_permissions":
            return PermissionsField()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        changed = [name for name in form.fields if form.differs(name)]
        services.save_person(obj, changed=changed, actor=staff_actor(request))

    @admin.display(description="Email address", ordering="email")
    def address(self, person: User) -> str:
        return person.email

    @admin.display(description="Status", ordering="is_active")
    def status(self, person: User) -> SafeString:
        return state("ok", "Active") if person.is_active else state("off", "Deactivated")

    @admin.display(description="Staff", ordering="is_staff")
    def staff(self, person: User) -> str:
        if person.is_superuser:
            return "Superuser"
        return "Staff" if person.is_staff else "–"

    @admin.display(description="Last sign-in", ordering="last_login")
    def last_sign_in(self, person: User) -> str:
        return moment(person.last_login, "Never")

    @admin.display(description="Permissions")
    def held_permissions(self, person: User) -> str:
        """In words, for staff who may not change them."""
        held = person.user_permissions.select_related("content_type")
        return ", ".join(permission_in_words(permission) for permission in held) or "None"

    @admin.display(description="Two-factor authentication")
    def second_factors(self, person: User) -> str:
        """The user's authenticators besides a password."""
        kinds = Authenticator.objects.filter(user=person).order_by("type")
        return ", ".join(sorted({kind.get_type_display() for kind in kinds})) or "Off"

    @admin.action(description="Email a password-setup link", permissions=["change"])
    @confirmed
    def send_password_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For new users, and for those who can't receive the email that they request."""
        link = get_adapter(request).get_reset_password_from_key_url
        service = partial(services.send_password_link, link=link)
        self._on_each(request, queryset, service, "Emailed links")

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def end_sessions(
        self, request: HttpRequest, queryset: QuerySet[User]
    ) -> HttpResponseRedirect | None:
        """Signs users out. They can sign in again, including the acting staff member."""
        self._on_each(request, queryset, services.end_sessions, "Signed-out users")
        if request.user in queryset:
            logout(request)
            return HttpResponseRedirect(reverse("account_login"))
        return None

    @admin.action(
        description="Reset two-factor authentication (one person)", permissions=["change"]
    )
    @confirmed
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """One user at a time, since staff must verify each request."""
        if queryset.count() > 1:
            self.message_user(request, "Choose one person at a time.", messages.ERROR)
            return
        done = "Users without two-factor authentication"
        self._on_each(request, queryset, services.remove_second_factors, done)

    @admin.action(description="Export personal data (one person)", permissions=["change"])
    @confirmed
    def export_data(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """For a person who requests their data but can't sign in."""
        if queryset.count() > 1:
            self.message_user(request, "Choose one person at a time.", messages.ERROR)
            return None
        person = queryset.get()
        if not self.has_change_permission(request, person):
            self.message_user(request, _OF_STAFF, messages.ERROR)
            return None
        data = services.export_personal_data(person, actor=staff_actor(request))
        return as_file(person, data)

    def _on_each(
        self, request: HttpRequest, people: QuerySet[User], service: Callable[..., None], done: str
    ) -> None:
        def act(person: User) -> None:
            if not self.has_change_permission(request, person):
                raise Forbidden(_OF_STAFF)
            service(person, actor=staff_actor(request))

        self.act_on_each(request, people, act, done)


def _in_words(options: Any) -> list[Any]:
    """The fields of a fieldset, with the permissions as text."""
    return ["held_permissions" if n == "user_permissions" else n for n in options["fields"]]


class MembershipForm(ServiceForm):
    class Meta:
        model = Membership
        fields = ("organization", "user", "role")


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin[Membership]):
    form = MembershipForm
    permissions_in_use = ("view", "add", "change", "delete")
    list_display = ("user", "organization", "role", "joined")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name")
    autocomplete_fields = ("organization", "user")
    actions = ("remove",)
    ordering = ("organization__name", "user__email")

    @admin.display(description="Joined", ordering="created_at")
    def joined(self, membership: Membership) -> str:
        return moment(membership.created_at)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ("organization", "user") if obj else ()

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        actor, new = staff_actor(request), form.cleaned_data
        role = Role(new["role"])
        if change and not form.wants("role"):
            return obj.refresh_from_db()
        if change:
            return adopt(obj, services.change_role(obj, role=role, actor=actor))
        organization, user = new["organization"], new["user"]
        made = services.add_member(organization, user=user, role=role, actor=actor)
        return adopt(obj, made)

    @admin.action(
        description="Remove the selected people from their organizations", permissions=["remove"]
    )
    @confirmed
    def remove(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """An organization's last admin can't be removed."""
        actor = staff_actor(request)
        self.act_on_each(
            request,
            queryset,
            lambda membership: services.remove_member(membership, actor=actor),
            "Removed people",
        )

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Requires Django's permission to delete memberships."""
        return request.user.has_perm("organizations.delete_membership")
