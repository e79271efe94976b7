"""The staff admin site."""

from typing import Any, Final, cast

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apikeys.usage import overview
from apikeys.usage.overview import Figure
from core.forms import BoundedTexts

_NEEDED: Final = (
    "The administration requires two-factor authentication. Add an authenticator app or a passkey."
)


#: App and model of the lists.
_KEYS: Final = ("apikeys", "apikey")
_ORGANIZATIONS: Final = ("organizations", "organization")
#: Figure → its words, the list and the filter that show it.
_LINKS: Final = {
    Figure.EXPIRING_IN_7_DAYS: ("Keys expiring in 7 days", _KEYS, "status=active&expiry=7"),
    Figure.EXPIRING_IN_30_DAYS: ("Keys expiring in 30 days", _KEYS, "status=active&expiry=30"),
    Figure.REFUSED_TODAY: ("Keys with rejected requests today", _KEYS, "refused=today"),
    Figure.USED_AFTER_ROTATION: (
        f"Keys with an old secret used in {overview.UNUSUAL_DAYS} days",
        _KEYS,
        "unusual=retired",
    ),
    Figure.ACCESS_OFF: (
        "Organizations with API access off",
        _ORGANIZATIONS,
        "api_access_enabled__exact=0",
    ),
}


def _figures(user: Any) -> list[dict[str, Any]]:
    """The figures of lists that the user may see."""
    lists = (_KEYS, _ORGANIZATIONS)
    seen = {(app, model) for app, model in lists if user.has_perm(f"{app}.view_{model}")}
    if not seen:
        return []
    return [
        {
            "words": words,
            "count": f"{overview.MOST:,}+" if count > overview.MOST else f"{count:,}",
            "is_zero": not count,
            "url": f"{reverse(f'admin:{app}_{model}_changelist')}?{query}",
        }
        for figure, count in overview.figures().items()
        for words, (app, model), query in [_LINKS[figure]]
        if (app, model) in seen
    ]


class PasswordForm(BoundedTexts, AdminPasswordChangeForm):
    """Django's form with length limits."""


class StaffAdminSite(AdminSite):
    """Looks different from the customers' pages on purpose, to avoid mix-ups."""

    site_header = f"{settings.SITE_NAME} staff"
    site_title = f"{settings.SITE_NAME} staff"
    #: Lists need the width, and the start page links to every list.
    enable_nav_sidebar = False
    index_title = "Organizations and API keys"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff. If the settings require it, only with a second factor."""
        return super().has_permission(request) and self._has_factors(request)

    def _has_factors(self, request: HttpRequest) -> bool:
        return not settings.STAFF_SECOND_FACTOR or is_mfa_enabled(request.user)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Django's page with length limits."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=PasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast("TemplateResponse", view(request))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Django's start page, with figures that lead to filtered lists."""
        context = {**(extra_context or {}), "figures": _figures(request.user)}
        return super().index(request, context)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Uses allauth's sign-in. Staff without a required second factor must set one up."""
        if super().has_permission(request) and not self._has_factors(request):
            messages.info(request, _NEEDED)
            return HttpResponseRedirect(reverse("mfa_index"))
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
