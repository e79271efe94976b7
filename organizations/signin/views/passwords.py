"""Password change pages that keep the browser known."""

from typing import Any

from allauth.account.views import PasswordChangeView, PasswordSetView
from django.http import HttpRequest, HttpResponse

from organizations.signin.known_devices import remember


class _StaysKnown:
    """Sets a new cookie: a browser is known for one password."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        remember(self.request, response, form.user)
        return response


class ChangePassword(_StaysKnown, PasswordChangeView):  # type: ignore[misc]
    """allauth's page for users with a password."""


class SetPassword(_StaysKnown, PasswordSetView):  # type: ignore[misc]
    """allauth's page for users without a password."""
