"""Admin of organizations and their service accounts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from organizations import services, tiers
from organizations.admin.base import ServiceAdmin, ServiceForm, adopt, staff_actor
from organizations.admin.display import moment, state
from organizations.admin.filters import ClosedFilter, DisabledFilter, TierFilter
from organizations.admin.forms import NewOrganizationFields, TierField
from organizations.admin.step_up import confirmed
from organizations.models import Organization, ServiceAccount


class NewOrganizationForm(NewOrganizationFields, ServiceForm):
    """The add form."""

    class Meta:
        model = Organization
        fields = ("name",)


class OrganizationForm(ServiceForm):
    """The change form."""

    harmless = frozenset({"name", "default_key_days"})
    rate_limit_tier = TierField()

    class Meta:
        model = Organization
        fields = ("name", "api_access_enabled", "rate_limit_tier", "key_limit", "default_key_days")
        labels = {"key_limit": "Key limit"}
        help_texts = {
            "api_access_enabled": "While off, every key of the organization is rejected.",
            "key_limit": "Maximum number of keys, not counting deleted ones. Leave empty for "
            "the default; 0 for unlimited.",
        }

    def is_free(self, name: str) -> bool:
        """Turning API access off needs no recent sign-in: it takes authority away."""
        off = name == "api_access_enabled" and not self.cleaned_data.get(name)
        return off or super().is_free(name)


@admin.register(Organization)
class OrganizationAdmin(ServiceAdmin[Organization]):
    form = OrganizationForm
    id_prefix = "org"
    list_display = ("name", "slug", "api_access", "tier", "members", "created")
    list_filter = (
        "api_access_enabled",
        ("closed_at", ClosedFilter),
        ("rate_limit_tier", TierFilter),
    )
    actions = ("close", "reopen")
    search_fields = ("name", "slug")
    readonly_fields = (
        "organization_limit",
        "more",
        "slug",
        "public_id",
        "uuid",
        "closed_at",
        "created_at",
        "updated_at",
    )
    ordering = ("name",)
    #: Lists of other models by `organization__id__exact`: label → view name.
    related_lists = {
        "Members": "organizations_membership",
        "Invitations": "organizations_invitation",
        "Service accounts": "organizations_serviceaccount",
        "Audit events": "organizations_auditevent",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        return super().get_queryset(request).annotate(member_count=Count("memberships"))

    def get_form(
        self,
        request: HttpRequest,
        obj: Organization | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewOrganizationForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        if obj is None:
            return ("name", "admin_email")
        return (*OrganizationForm.Meta.fields, *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        actor, new = staff_actor(request), form.cleaned_data
        if not change:
            admin_user = new["admin_email"]
            made = services.create_organization(name=new["name"], admin=admin_user, actor=actor)
            return adopt(obj, made)
        if form.wants("name"):
            services.rename_organization(obj, name=new["name"], actor=actor)
        if form.wants("api_access_enabled"):
            services.set_api_access(obj, enabled=new["api_access_enabled"], actor=actor)
        if form.wants("rate_limit_tier"):
            services.set_rate_limit_tier(obj, tier=new["rate_limit_tier"], actor=actor)
        if form.wants("key_limit"):
            services.set_key_limit(obj, limit=new["key_limit"], actor=actor)
        if form.wants("default_key_days"):
            services.set_default_expiry(obj, days=new["default_key_days"], actor=actor)
        return obj.refresh_from_db()

    @admin.action(description="Close the selected organizations", permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        """Turns their API access off and hides them from their members."""
        actor = staff_actor(request)
        self.act_on_each(
            request,
            queryset,
            lambda organization: services.close_organization(organization, actor=actor),
            "Closed organizations",
        )

    @admin.action(description="Reopen the selected organizations", permissions=["change"])
    @confirmed
    def reopen(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        """Requires a recent sign-in. API access stays off."""
        actor = staff_actor(request)
        self.act_on_each(
            request,
            queryset,
            lambda organization: services.reopen_organization(organization, actor=actor),
            "Reopened organizations",
        )

    @admin.display(description="Members", ordering="member_count")
    def members(self, organization: Organization) -> int:
        count: int = organization.member_count  # type: ignore[attr-defined]
        return count

    @admin.display(description="API access", ordering="api_access_enabled")
    def api_access(self, organization: Organization) -> SafeString:
        return state("ok", "On") if organization.api_access_enabled else state("bad", "Off")

    @admin.display(description="Rate limit", ordering="rate_limit_tier")
    def tier(self, organization: Organization) -> str:
        return organization.rate_limit_tier.capitalize()

    @admin.display(description="Created", ordering="created_at")
    def created(self, organization: Organization) -> str:
        return moment(organization.created_at)

    @admin.display(description="Organization rate limit")
    def organization_limit(self, organization: Organization) -> str:
        """Depends on the tier. A key's own tier can't exceed it."""
        limit = tiers.organization_limit(organization.rate_limit_tier)
        return tiers.in_words(limit) if limit else "None"

    @admin.display(description="Related")
    def more(self, organization: Organization) -> str:
        """Links to lists of what belongs to the organization."""
        links = [
            (reverse(f"admin:{view}_changelist"), self.filter_of(view), organization.pk, label)
            for label, view in self.related_lists.items()
        ]
        return format_html_join(" · ", '<a href="{}?{}={}">{}</a>', links)

    @staticmethod
    def filter_of(view: str) -> str:
        """The query parameter that filters a list by organization."""
        return "organization_id" if view.endswith("auditevent") else "organization__id__exact"


class ServiceAccountForm(ServiceForm):
    harmless = frozenset({"organization", "name", "description"})
    enabled = forms.BooleanField(
        required=False, initial=True, help_text="While off, every key of this account is rejected."
    )

    class Meta:
        model = ServiceAccount
        fields = ("organization", "name", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.created_at:
            self.initial["enabled"] = self.instance.enabled

    def is_free(self, name: str) -> bool:
        """Disabling needs no recent sign-in. A new account is enabled and has no keys."""
        is_new = self.instance._state.adding  # noqa: SLF001 - as in Django's own forms
        off = name == "enabled" and (is_new or not self.cleaned_data.get(name))
        return off or super().is_free(name)


@admin.register(ServiceAccount)
class ServiceAccountAdmin(ServiceAdmin[ServiceAccount]):
    form = ServiceAccountForm
    id_prefix = "sa"
    list_display = ("name", "organization", "status", "created_by", "created")
    list_filter = (("disabled_at", DisabledFilter),)
    list_select_related = ("organization", "created_by")
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization",)
    actions = ("disable", "enable")
    ordering = ("organization__name", "name")

    def get_fields(self, request: HttpRequest, obj: ServiceAccount | None = None) -> Any:
        shown = ("public_id", "created_by", "created_at") if obj else ()
        switch = ("enabled",) if obj else ()
        return ("organization", "name", "description", *switch, *shown)

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceAccount | None = None) -> Any:
        return ("organization", "public_id", "created_by", "created_at") if obj else ()

    def save_model(
        self, request: HttpRequest, obj: ServiceAccount, form: Any, change: bool
    ) -> None:
        actor, new = staff_actor(request), form.cleaned_data
        if not change:
            made = services.create_service_account(
                new["organization"], name=new["name"], description=new["description"], actor=actor
            )
            return adopt(obj, made)
        texts = {
            name: new[name] if form.wants(name) else form.initial[name]
            for name in ("name", "description")
        }
        services.update_service_account(obj, actor=actor, **texts)
        if form.wants("enabled"):
            services.set_service_account_enabled(obj, enabled=new["enabled"], actor=actor)
        return obj.refresh_from_db()

    @admin.display(description="Status", ordering="disabled_at")
    def status(self, account: ServiceAccount) -> SafeString:
        return state("ok", "Active") if account.enabled else state("off", "Disabled")

    @admin.display(description="Created", ordering="created_at")
    def created(self, account: ServiceAccount) -> str:
        return moment(account.created_at)

    @admin.action(description="Disable the selected service accounts", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ServiceAccount]) -> None:
        self._switch(request, queryset, enabled=False, done="Disabled service accounts")

    @admin.action(description="Enable the selected service accounts", permissions=["change"])
    @confirmed
    def enable(self, request: HttpRequest, queryset: QuerySet[ServiceAccount]) -> None:
        """Requires a recent sign-in."""
        self._switch(request, queryset, enabled=True, done="Enabled service accounts")

    def _switch(
        self,
        request: HttpRequest,
        accounts: QuerySet[ServiceAccount],
        *,
        enabled: bool,
        done: str,
    ) -> None:
        actor = staff_actor(request)

        def act(account: ServiceAccount) -> None:
            services.set_service_account_enabled(account, enabled=enabled, actor=actor)

        self.act_on_each(request, accounts, act, done)
