"""The staff administration's frame."""

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

from core.forms import BoundedTexts

_NEEDED: Final = (
    "The administration needs a second factor. Set up an authenticator app or a passkey."
)


class PasswordForm(BoundedTexts, AdminPasswordChangeForm):
    """A new password of one's own."""


class StaffAdminSite(AdminSite):
    """Looks unlike the customers' pages on purpose, so that nobody mistakes one for the other."""

    site_header = f"{settings.SITE_NAME} staff"
    site_title = f"{settings.SITE_NAME} staff"
    #: The lists need the width, and the start page names every list.
    enable_nav_sidebar = False
    index_title = "Look after organizations and their keys"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, and where the settings ask for it only those with a second factor."""
        return super().has_permission(request) and self._has_factors(request)

    def _has_factors(self, request: HttpRequest) -> bool:
        return not settings.STAFF_SECOND_FACTOR or is_mfa_enabled(request.user)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Django's page, with a limit on what it reads."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=PasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast("TemplateResponse", view(request))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The sign-in of everybody, with its limits; staff without a second factor set one up."""
        if super().has_permission(request) and not self._has_factors(request):
            messages.info(request, _NEEDED)
            return HttpResponseRedirect(reverse("mfa_index"))
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
