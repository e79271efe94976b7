"""django-allauth's forms with a limit on every text field: `ACCOUNT_FORMS` and `MFA_FORMS`."""

import json
from typing import Any, Final

from allauth.account import forms as account
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as codes
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from core.actors import Actor
from core.forms import BoundedTexts, TextField
from core.request_context import request_context_of
from core.sqlite_writers import turn
from core.text import canonical_email
from organizations import services
from organizations.models import User
from organizations.signin import known_devices

#: A passkey's answer is about 2,000 characters, with a chain of certificates about 10,000.
_CREDENTIAL_LENGTH: Final = 32 * 1024
#: What packages raise for a credential that is JSON and yet nothing that a browser sends.
_MALFORMED: Final = (AttributeError, LookupError, RecursionError, TypeError, ValueError)


class LoginForm(BoundedTexts, account.LoginForm):  # type: ignore[misc]
    """Signing in."""

    def clean_login(self) -> str:
        """The address as it is kept, however its domain is written."""
        return canonical_email(super().clean_login())


class AddEmailForm(BoundedTexts, account.AddEmailForm):  # type: ignore[misc]
    """Another email address."""

    def save(self, request: HttpRequest) -> EmailAddress:
        """Also tells the primary address about it."""
        added: EmailAddress = super().save(request)
        notify = get_account_adapter(request).send_notification_mail
        notify("account/email/email_added", self.user, {"added_email": added.email})
        return added


class ChangePasswordForm(BoundedTexts, account.ChangePasswordForm):  # type: ignore[misc]
    """A new password, knowing the old one."""


class SetPasswordForm(BoundedTexts, account.SetPasswordForm):  # type: ignore[misc]
    """The first password."""


class ResetPasswordForm(BoundedTexts, account.ResetPasswordForm):  # type: ignore[misc]
    """Asking for a link to choose a password."""

    def clean_email(self) -> str:
        """The address as it is kept, to which the link is mailed."""
        email = canonical_email(super().clean_email())
        owner = User.objects.behind(email)
        self.users = [owner] if owner and owner.is_active else []
        return email


class ResetPasswordKeyForm(BoundedTexts, account.ResetPasswordKeyForm):  # type: ignore[misc]
    """Choosing a password after the link."""

    def save(self) -> None:
        """The password; an address that nobody had confirmed is confirmed by the link."""
        with turn(), transaction.atomic():
            super().save()
            actor = Actor.system("mailed link", request_context_of(context.request))
            services.prove_mailbox(self.user, actor=actor)
        known_devices.remember_mailbox(context.request, self.user)


class UserTokenForm(BoundedTexts, account.UserTokenForm):  # type: ignore[misc]
    """What the link says."""


class ReauthenticateForm(BoundedTexts, account.ReauthenticateForm):  # type: ignore[misc]
    """Confirming a sign-in by password."""


class ConfirmLoginCodeForm(BoundedTexts, account.ConfirmLoginCodeForm):  # type: ignore[misc]
    """Signing in by a code in an email; the page exists although nothing leads there."""


class AuthenticateForm(BoundedTexts, codes.AuthenticateForm):  # type: ignore[misc]
    """Signing in: the code of an app, or a recovery code."""


class ReauthenticateCodeForm(BoundedTexts, codes.ReauthenticateForm):  # type: ignore[misc]
    """Confirming a sign-in by a code."""


class ActivateTOTPForm(BoundedTexts, totp.ActivateTOTPForm):  # type: ignore[misc]
    """Setting up an authenticator app."""


class CredentialField(forms.JSONField):
    """A passkey's answer. Django's field fails on JSON that is nested too deeply or too large."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(max_length=_CREDENTIAL_LENGTH)

    def to_python(self, value: Any) -> Any:
        # Refused by its length before it is read: validators come after that.
        if isinstance(value, str) and len(value) > _CREDENTIAL_LENGTH:
            raise self._invalid()
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise self._invalid() from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Nothing: an answer is good for one attempt, so that it is not shown again."""
        return None

    def run_validators(self, value: Any) -> None:
        """The length was looked at already; what was read has another one."""

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value) if value else ""

    def _invalid(self) -> ValidationError:
        return ValidationError(self.error_messages["invalid"], code="invalid")


class NewPasskeyForm(BoundedTexts, passkeys.AddWebAuthnForm):  # type: ignore[misc]
    """Setting up a passkey."""

    name = TextField(required=False)
    credential = CredentialField()

    def clean(self) -> Any:
        """Refuses malformed credentials, on which the packages fail in several ways."""
        try:
            return super().clean()
        except _MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None


class PasskeyNameForm(BoundedTexts, passkeys.EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a passkey."""

    name = TextField()


class PasskeyAnswer(BoundedTexts):
    """What signing in and confirming by passkey share."""

    def clean_credential(self) -> Any:
        """Refuses malformed credentials, on which the packages fail in several ways."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None


class AuthenticatePasskeyForm(PasskeyAnswer, passkeys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Signing in: a passkey as the second factor."""

    credential = CredentialField()


class LoginPasskeyForm(PasskeyAnswer, passkeys.LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in by a passkey alone."""

    credential = CredentialField()


class ReauthenticatePasskeyForm(PasskeyAnswer, passkeys.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Confirming a sign-in by passkey."""

    credential = CredentialField()
