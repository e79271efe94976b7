"""Step-up: a sensitive change needs a sign-in, or a confirmation of it, in the last minutes.

The one rule of the settings pages and of the admin: which session is recent, where an old one is
confirmed, and that the confirmation loses no input. Each shows it in its own way.
"""

from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core import ratelimit
from django import forms
from django.http import HttpRequest
from django.urls import reverse

from core.forms import BoundedTexts
from core.redaction import holds_secret
from organizations.signin.reauthentication import has_recently_authenticated

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


class StepUp:
    """What a request for a sensitive change has to confirm first, if anything."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.is_needed = not has_recently_authenticated(request)

    @property
    def url(self) -> str:
        """The page that asks for the password or the second factor and leads back here.

        Empty if the sign-in is recent.
        """
        if not self.is_needed:
            return ""
        query = urlencode({"next": self.request.get_full_path()})
        return f"{reverse('account_reauthenticate')}?{query}"

    def confirm(self) -> ConfirmForm | None:
        """None once confirmed, also by a password sent along; or else the form that asks for it."""
        if not self.is_needed:
            return None
        submitted = "confirm_password" in self.request.POST
        form = ConfirmForm(self.request, self.request.POST if submitted else None)
        if not (submitted and form.is_valid()):
            return form
        reauthenticate_by_password(self.request)
        self.is_needed = False
        return None

    def input(self) -> list[tuple[str, str]]:
        """The fields that were sent, for a confirmation to send again.

        Without the password, and without API keys, which no field takes.
        """
        return [
            (name, value)
            for name, values in self.request.POST.lists()
            if name not in _OWN_FIELDS and not holds_secret(name)
            for value in values
            if not holds_secret(value)
        ]
