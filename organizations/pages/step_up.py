"""Sensitive changes need a sign-in, or a confirmation of it, in the last minutes."""

from typing import Any

from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core import ratelimit
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.http import HttpRequest, HttpResponse

from core.forms import BoundedTexts
from organizations.pages.base import OrganizationPage
from organizations.signin.reauthentication import is_recent

#: Fields of the confirmation itself, which are not carried along.
_OWN_FIELDS = frozenset({"csrfmiddlewaretoken", "confirm_password"})


class ConfirmForm(BoundedTexts, forms.Form):
    """The password of the person who is signed in."""

    confirm_password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_confirm_password(self) -> str:
        """Refused after too many attempts, as everywhere that a password is asked for."""
        password: str = self.cleaned_data["confirm_password"]
        user = self.request.user
        if not ratelimit.consume(self.request, action="reauthenticate", user=user):
            raise forms.ValidationError("Too many attempts. Try again in a few minutes.")
        if not user.check_password(password):
            raise forms.ValidationError("The password is incorrect.")
        return password


class StepUp(OrganizationPage):
    """A page whose changes ask for the password first where the sign-in is not recent.

    All that widen authority or change who gets in do; `tests/pages/test_step_up.py` lists them.

    What was typed is carried along in the confirmation's form and nothing is asked for twice.
    """

    def confirmed(self) -> HttpResponse | None:
        """None where the change may go on, or the confirmation's page."""
        if is_recent(self.request):
            return None
        submitted = "confirm_password" in self.request.POST
        form = ConfirmForm(self.request, self.request.POST if submitted else None)
        if submitted and form.is_valid():
            reauthenticate_by_password(self.request)
            return None
        carried = [
            (name, value)
            for name, values in self.request.POST.lists()
            if name not in _OWN_FIELDS
            for value in values
        ]
        context = {
            "form": form,
            "carried": carried,
            "has_second_factor": is_mfa_enabled(self.request.user),
        }
        return self.render("organizations/confirm.html", context, status=422)
