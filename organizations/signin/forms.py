"""django-allauth's forms with length limits: `ACCOUNT_FORMS` and `MFA_FORMS`."""

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
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from core.actors import Actor
from core.forms import BoundedTexts, TextField
from core.request_context import request_context_of
from core.sqlite_writers import write_lock
from core.text import canonical_email
from organizations import services
from organizations.models import User
from organizations.signin import known_devices
from organizations.signin.passwords import LEAST

#: A passkey's response has about 2,000 characters, with a certificate chain about 10,000.
_CREDENTIAL_LENGTH: Final = 32 * 1024
#: Exceptions of the packages for a credential that is JSON but malformed.
_MALFORMED: Final = (AttributeError, LookupError, RecursionError, TypeError, ValueError)


#: Instead of one line per validator.
_PASSWORD_HELP: Final = (
    "At least {length} characters besides words like “{site}” or your organization's name. Avoid"
    " common passwords, your name and your email address."
)


class PlainFields(BoundedTexts):
    """allauth's fields without placeholders, with labels in sentence case and short help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if field.label:
                field.label = _sentence_case(str(field.label))
            if name == "password1":
                field.help_text = _PASSWORD_HELP.format(length=LEAST, site=settings.SITE_NAME)


def _sentence_case(label: str) -> str:
    """`New Password (again)` → `New password again`."""
    return f"{label[:1]}{label[1:].lower()}"


class LoginForm(PlainFields, account.LoginForm):  # type: ignore[misc]
    """The sign-in form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""  # the page links to the reset

    def clean_login(self) -> str:
        """The canonical email address, for any spelling of its domain."""
        return canonical_email(super().clean_login())


class AddEmailForm(PlainFields, account.AddEmailForm):  # type: ignore[misc]
    """Adds an email address to an account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New email address"

    def save(self, request: HttpRequest) -> EmailAddress:
        """Also notifies the primary address."""
        added: EmailAddress = super().save(request)
        notify = get_account_adapter(request).send_notification_mail
        notify("account/email/email_added", self.user, {"added_email": added.email})
        return added


class ChangePasswordForm(PlainFields, account.ChangePasswordForm):  # type: ignore[misc]
    """Changes the password. Requires the old one."""


class SetPasswordForm(PlainFields, account.SetPasswordForm):  # type: ignore[misc]
    """Sets the first password."""


class ResetPasswordForm(PlainFields, account.ResetPasswordForm):  # type: ignore[misc]
    """Requests a password reset link."""

    def clean_email(self) -> str:
        """The canonical email address. The link is sent there."""
        email = canonical_email(super().clean_email())
        owner = User.objects.owner_of(email)
        self.users = [owner] if owner and owner.is_active else []
        return email


class ResetPasswordKeyForm(PlainFields, account.ResetPasswordKeyForm):  # type: ignore[misc]
    """Sets a password after a reset link."""

    def save(self) -> None:
        """Saves the password. The link also confirms the account's unconfirmed address."""
        with write_lock(), transaction.atomic():
            super().save()
            actor = Actor.system("mailed link", request_context_of(context.request))
            services.prove_mailbox(self.user, actor=actor)
        known_devices.remember_mailbox(context.request, self.user)


class UserTokenForm(PlainFields, account.UserTokenForm):  # type: ignore[misc]
    """The user and token in a reset link."""


class ReauthenticateForm(PlainFields, account.ReauthenticateForm):  # type: ignore[misc]
    """Reauthentication by password."""


class ConfirmLoginCodeForm(PlainFields, account.ConfirmLoginCodeForm):  # type: ignore[misc]
    """Sign-in by an emailed code. The page exists but is not linked."""


class AuthenticateForm(PlainFields, codes.AuthenticateForm):  # type: ignore[misc]
    """Sign-in by an authenticator app's code or a recovery code."""


class ReauthenticateCodeForm(PlainFields, codes.ReauthenticateForm):  # type: ignore[misc]
    """Reauthentication by a code."""


class ActivateTOTPForm(PlainFields, totp.ActivateTOTPForm):  # type: ignore[misc]
    """Setting up an authenticator app."""


class CredentialField(forms.JSONField):
    """A passkey's response. Django's field fails on JSON that is too deeply nested or too large."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(max_length=_CREDENTIAL_LENGTH)

    def to_python(self, value: Any) -> Any:
        # Validators run after parsing, so check the length here.
        if isinstance(value, str) and len(value) > _CREDENTIAL_LENGTH:
            raise self._invalid()
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise self._invalid() from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        return None  # a response is valid for one attempt, so it is not shown again

    def run_validators(self, value: Any) -> None:
        """Does nothing: `to_python` has checked the length of the JSON text."""

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value) if value else ""

    def _invalid(self) -> ValidationError:
        return ValidationError(self.error_messages["invalid"], code="invalid")


class NewPasskeyForm(PlainFields, passkeys.AddWebAuthnForm):  # type: ignore[misc]
    """Adds a passkey."""

    name = TextField(required=False)
    credential = CredentialField()

    def clean(self) -> Any:
        """Rejects malformed credentials, on which the packages fail in several ways."""
        try:
            return super().clean()
        except _MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None


class PasskeyNameForm(PlainFields, passkeys.EditWebAuthnForm):  # type: ignore[misc]
    """Renames a passkey."""

    name = TextField()


class PasskeyFormMixin(PlainFields):
    """Shared by signing in and reauthenticating with a passkey."""

    def clean_credential(self) -> Any:
        """Rejects malformed credentials, on which the packages fail in several ways."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None


class AuthenticatePasskeyForm(PasskeyFormMixin, passkeys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Sign-in with a passkey as the second factor."""

    credential = CredentialField()


class LoginPasskeyForm(PasskeyFormMixin, passkeys.LoginWebAuthnForm):  # type: ignore[misc]
    """Sign-in with a passkey alone."""

    credential = CredentialField()


class ReauthenticatePasskeyForm(PasskeyFormMixin, passkeys.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Reauthentication with a passkey."""

    credential = CredentialField()
