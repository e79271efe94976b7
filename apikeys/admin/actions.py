"""Admin actions on API keys, from the list or from a key's page."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apikeys import services
from apikeys.admin.forms import RevokeForm, TierForm
from apikeys.models import ApiKey
from core.exceptions import DomainError
from organizations.admin.base import ServiceAdmin, staff_actor
from organizations.admin.step_up import confirmed

#: The confirmation page has a field per key, and Django reads at most 1000 fields.
MOST_AT_ONCE: Final = 500
F = TypeVar("F", bound=Form)


class KeyActions(ServiceAdmin[ApiKey]):
    """Disable, enable, set the rate limit, revoke. Each error is shown."""

    @admin.action(description="Disable the selected keys", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        return self._switch(request, queryset, enabled=False, done="Disabled keys")

    @admin.action(description="Enable the selected keys", permissions=["change"])
    @confirmed
    def enable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        return self._switch(request, queryset, enabled=True, done="Enabled keys")

    @admin.action(description="Revoke the selected keys …", permissions=["change"])
    @confirmed
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Shows a page with the keys' last use that asks for a reason, then revokes."""
        if queryset.count() > MOST_AT_ONCE:
            refusal = f"Select {MOST_AT_ONCE} keys or fewer at a time. Nothing was revoked."
            self.message_user(request, refusal, messages.ERROR)
            return None
        form = _confirmation(RevokeForm, request)
        if not form.is_valid():
            return self._ask(request, "revoke", "Revoke API keys", form, queryset)
        self._revoke(request, queryset.select_related("organization"), form.cleaned_data["reason"])
        return self._back(request)

    @admin.action(description="Set the rate limit of the selected keys …", permissions=["change"])
    @confirmed
    def set_tier(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Shows a page that asks for the tier, then sets it."""
        form = _confirmation(TierForm, request)
        if not form.is_valid():
            return self._ask(request, "tier", "Set the rate limit of API keys", form, queryset)
        actor, tier = staff_actor(request), form.cleaned_data["rate_limit_tier"]

        def act(key: ApiKey) -> None:
            services.set_key_rate_limit_tier(key, tier=tier, actor=actor)

        return self._act(request, queryset, act, "Keys with this rate limit now")

    def _revoke(self, request: HttpRequest, keys: Iterable[ApiKey], reason: str) -> None:
        """Revokes all keys that aren't revoked yet, or none. Shows which already were."""
        chosen = list(keys)
        already = [key for key in chosen if key.revoked_at]
        try:
            services.revoke_api_keys(chosen, actor=staff_actor(request), reason=reason)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return
        for key in already:
            self.message_user(request, f"{key}: This key is already revoked.", messages.ERROR)
        if len(already) < len(chosen):
            revoked = len(chosen) - len(already)
            self.message_user(request, f"Revoked keys: {revoked}.", messages.SUCCESS)

    def page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
        """A page with keys' own templates in the admin's layout."""
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"admin/apikeys/apikey/{name}.html", {**shared, **context})

    def _switch(
        self, request: HttpRequest, keys: QuerySet[ApiKey], *, enabled: bool, done: str
    ) -> HttpResponse | None:
        actor = staff_actor(request)

        def act(key: ApiKey) -> None:
            services.set_api_key_enabled(key, enabled=enabled, actor=actor)

        return self._act(request, keys, act, done)

    def _ask(
        self, request: HttpRequest, name: str, title: str, form: Form, keys: QuerySet[ApiKey]
    ) -> HttpResponse:
        context = {
            "form": form,
            "keys": keys,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "from_detail": request.POST.get("from_detail", ""),
            "title": title,
        }
        return self.page(request, name, context)

    def _act(
        self,
        request: HttpRequest,
        keys: QuerySet[ApiKey],
        act: Callable[[ApiKey], None],
        done: str,
    ) -> HttpResponse | None:
        """Returns to the key's page if the action came from there, otherwise to the list."""
        self.act_on_each(request, keys, act, done)
        return self._back(request)

    @staticmethod
    def _back(request: HttpRequest) -> HttpResponse | None:
        if not request.POST.get("from_detail"):
            return None
        key_id = request.POST[ACTION_CHECKBOX_NAME]
        return HttpResponseRedirect(reverse("admin:apikeys_apikey_change", args=[key_id]))


def _confirmation(form: type[F], request: HttpRequest) -> F:
    """The submitted confirmation form, or an empty one."""
    return form(request.POST if "confirmed" in request.POST else None)
