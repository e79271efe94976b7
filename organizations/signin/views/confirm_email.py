"""The page behind the link that confirms an email address.

Access to the mailbox alone isn't enough: its owner may not know who entered the address. It also
takes the session that entered it, or the password of that account.
"""

from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.stagekit import unstash_login  # allauth 65.21.1
from allauth.account.models import EmailAddress
from allauth.account.views import ConfirmEmailView
from django import forms
from django.contrib.auth.signals import user_login_failed
from django.core.signing import b62_decode
from django.http import HttpRequest, HttpResponse

from core.actors import Actor
from core.forms import BoundedTexts
from core.request_context import request_context_of
from organizations import services


class AccountPasswordForm(BoundedTexts, forms.Form):
    """Asks for the password of the account that entered an address."""

    password = forms.CharField(
        label="Password of that account",
        strip=False,
        error_messages={"required": "Enter the password that you chose when you signed up."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, address: EmailAddress, data: Any = None) -> None:
        super().__init__(data)
        self.request, self.address = request, address

    def clean_password(self) -> str:
        """Checks the password. Failures count as sign-in attempts."""
        password: str = self.cleaned_data["password"]
        account = self.address.user
        get_adapter(self.request).pre_authenticate(self.request, email=account.email)
        if not account.check_password(password):
            user_login_failed.send(sender=__name__, credentials={}, request=self.request)
            raise forms.ValidationError("The password is incorrect.")
        return password


class ConfirmEmail(ConfirmEmailView):  # type: ignore[misc]
    """allauth's page, which would let anyone with the link confirm."""

    form: AccountPasswordForm | None = None

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Confirms the address, or removes it from the account that entered it."""
        self.object = self.get_object()
        address = self.object.email_address
        if self.request.POST.get("do") == "disown":
            actor = Actor.system("mailed link", request_context_of(self.request))
            services.disown_address(address, actor=actor)
            return self._show(disowned=True)
        if not self._entered_it(address):
            self.form = AccountPasswordForm(self.request, address, self.request.POST)
            if not self.form.is_valid():
                return self._show(status=422)
        if not services.can_claim(address):
            return self._show(status=409)
        response: HttpResponse = super().post(*args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if self.object:
            address = self.object.email_address
            entered_it = self._entered_it(address)
            context["can_confirm"] = services.can_claim(address)
            context["account"] = address.user
            context["asked_at"] = _made_at(self.kwargs["key"])
            context["is_theirs"] = entered_it
            context["form"] = self.form or AccountPasswordForm(self.request, address)
        return context

    def _entered_it(self, address: EmailAddress) -> bool:
        """Whether this session signed up with the address, or its account added it."""
        if self.request.user.is_authenticated:
            return bool(self.request.user.pk == address.user_id)
        login = unstash_login(self.request, peek=True)
        # No user: the sign-up was with a taken address.
        waiting = login.user if login else None
        if waiting is None or (waiting.pk, waiting.email) != (address.user_id, address.email):
            return False
        # No password: the address was disowned after the sign-up.
        return bool(waiting.has_usable_password())

    def _show(self, *, status: int = 200, disowned: bool = False) -> HttpResponse:
        context = self.get_context_data(disowned=disowned)
        shown: HttpResponse = self.render_to_response(context, status=status)
        return shown


def _made_at(key: str) -> datetime:
    """When a link was sent, according to its signature."""
    return datetime.fromtimestamp(b62_decode(key.rsplit(":", 2)[1]), UTC)
