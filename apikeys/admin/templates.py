"""Admin of key templates."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apikeys import services
from apikeys.forms import ScopesField
from apikeys.models import KeyTemplate
from organizations.admin.base import ServiceAdmin, ServiceForm, adopt, staff_actor
from organizations.admin.display import moment


class KeyTemplateForm(ServiceForm):
    """Needs no recent sign-in: creating a key from a template does."""

    harmless = frozenset({"organization", "name", "description", "scopes", "lifetime_days"})
    scopes = ScopesField()

    class Meta:
        model = KeyTemplate
        fields = ("organization", "name", "description", "scopes", "lifetime_days")


@admin.register(KeyTemplate)
class KeyTemplateAdmin(ServiceAdmin[KeyTemplate]):
    form = KeyTemplateForm
    id_prefix = "tpl"
    permissions_in_use = ("view", "add", "change", "delete")
    list_display = ("name", "organization", "scope_list", "lifetime", "updated")
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization",)
    actions = ("remove",)
    ordering = ("organization__name", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: KeyTemplate | None = None) -> Any:
        return ("organization",) if obj else ()

    def save_model(self, request: HttpRequest, obj: KeyTemplate, form: Any, change: bool) -> None:
        actor, new = staff_actor(request), form.cleaned_data
        if not change:
            return adopt(obj, services.create_template(actor=actor, **new))
        changes = {name: value for name, value in new.items() if form.wants(name)}
        return adopt(obj, services.update_template(obj, actor=actor, changes=changes))

    @admin.display(description="Key lifetime", ordering="lifetime_days")
    def lifetime(self, template: KeyTemplate) -> str:
        days = template.lifetime_days
        return f"{days:,} day{'' if days == 1 else 's'}" if days else "Default"

    @admin.display(description="Updated", ordering="updated_at")
    def updated(self, template: KeyTemplate) -> str:
        return moment(template.updated_at)

    @admin.display(description="Scopes")
    def scope_list(self, template: KeyTemplate) -> str:
        return ", ".join(template.scopes)

    @admin.action(description="Delete the selected templates", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[KeyTemplate]) -> None:
        """Keys created from the templates stay."""
        actor = staff_actor(request)
        self.act_on_each(
            request,
            queryset.select_related("organization"),
            lambda template: services.delete_template(template, actor=actor),
            "Deleted templates",
        )

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Requires Django's permission to delete templates."""
        return request.user.has_perm("apikeys.delete_keytemplate")
