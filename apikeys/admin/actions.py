"""What staff do to keys: one on its own page, or several of the list."""

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

#: The page that asks before revoking names each key in a field, and Django reads 1000 of them.
MOST_AT_ONCE: Final = 500
F = TypeVar("F", bound=Form)


class KeyActions(ServiceAdmin[ApiKey]):
    """Disable, enable, rate limit, revoke; each key by its service, each refusal told."""

    @admin.action(description="Disable the selected keys", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Refuses them until they are enabled again."""
        return self._switch(request, queryset, enabled=False, done="Disabled keys")

    @admin.action(description="Enable the selected keys", permissions=["change"])
    @confirmed
    def enable(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Accepts them again."""
        return self._switch(request, queryset, enabled=True, done="Enabled keys")

    @admin.action(description="Revoke the selected keys …", permissions=["change"])
    @confirmed
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Ends them for good, after a page that shows their last use and asks for a reason."""
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
        """Gives them a tier of their own, after a page that asks for it."""
        form = _confirmation(TierForm, request)
        if not form.is_valid():
            return self._ask(request, "tier", "Set the rate limit of API keys", form, queryset)
        actor, tier = staff_actor(request), form.cleaned_data["rate_limit_tier"]

        def act(key: ApiKey) -> None:
            services.set_key_rate_limit_tier(key, tier=tier, actor=actor)

        return self._act(request, queryset, act, "Keys with this rate limit now")

    def _revoke(self, request: HttpRequest, keys: Iterable[ApiKey], reason: str) -> None:
        """Revokes all that are not revoked yet, or none; says so of each that is."""
        chosen = list(keys)
        already = [key for key in chosen if key.revoked_at]
        try:
            services.revoke_api_keys(chosen, actor=staff_actor(request), reason=reason)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return
        for key in already:
            self.message_user(request, f"{key}: This key is revoked already.", messages.ERROR)
        if len(already) < len(chosen):
            revoked = len(chosen) - len(already)
            self.message_user(request, f"Revoked keys: {revoked}.", messages.SUCCESS)

    def page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
        """A page of keys' own templates, in the frame of the administration."""
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
        """Then back to the key's own page where the action came from there, or else to the list."""
        self.act_on_each(request, keys, act, done)
        return self._back(request)

    @staticmethod
    def _back(request: HttpRequest) -> HttpResponse | None:
        if not request.POST.get("from_detail"):
            return None
        key_id = request.POST[ACTION_CHECKBOX_NAME]
        return HttpResponseRedirect(reverse("admin:apikeys_apikey_change", args=[key_id]))


def _confirmation(form: type[F], request: HttpRequest) -> F:
    """What was said on the page that asks, or that page's empty form."""
    return form(request.POST if "confirmed" in request.POST else None)
