"""How django-allauth meets this application: addresses, sign-up, the words of refusals."""

from smtplib import SMTPException
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from organizations import services
from organizations.actors import Actor
from organizations.forms import cleaned
from organizations.models import User
from organizations.origin import origin_of
from organizations.passwords import refuse_words
from organizations.recency import is_recent
from organizations.services.links import INVITATION_KEY
from organizations.text import clean_name
from organizations.writes import turn

_log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Limits count by the address that the middleware believes."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail or password is incorrect.",
        "too_many_login_attempts": "Too many attempts. Try again in a few minutes.",
        "rate_limited": "Too many attempts. Try again in a few minutes.",
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        return origin_of(request).ip or "unknown"

    def get_http_user_agent(self, request: HttpRequest) -> str:
        """Without whatever looks like a secret, since it goes into mails."""
        return origin_of(request).user_agent

    def send_notification_mail(self, template_prefix: str, *args: Any, **options: Any) -> None:
        """What was changed stays changed where the mail about it cannot be sent."""
        try:
            super().send_notification_mail(template_prefix, *args, **options)
        except (SMTPException, OSError) as error:
            _log.error("mail_not_sent", mail=template_prefix, reason=type(error).__name__)

    def is_reauthentication_required(self, *, app: str, **_: object) -> bool:
        """A recent sign-in counts as much as a confirmation of it, as on the pages about keys."""
        return not is_recent(self.request)


class NewcomerForm(SignupForm):  # type: ignore[misc]
    """Makes a person and their organization, both or neither."""

    name = forms.CharField(
        label="Your name",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organization = forms.CharField(
        label="Organization name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever comes from an invitation joins that organization and makes none.
        if INVITATION_KEY in context.request.session:
            del self.fields["organization"]

    def clean_name(self) -> str:
        """The name, which may be empty."""
        name: str = self.cleaned_data["name"]
        return cleaned(clean_name, name, "name") if name else ""

    def clean_organization(self) -> str:
        """The organization's name."""
        return cleaned(clean_name, self.cleaned_data["organization"], "organization")

    def clean(self) -> Any:
        """Also that the password is more than the name of the organization that is to be made."""
        data = super().clean()
        try:
            refuse_words(data.get("password1") or "", [data.get("organization") or ""])
        except forms.ValidationError as refusal:
            self.add_error("password1", refusal)
        return data

    def try_save(self, request: HttpRequest) -> Any:
        """As if the address had been taken before, where another sign-up with it was faster."""
        try:
            return super().try_save(request)
        except IntegrityError:
            if not User.objects.filter(email__iexact=self.cleaned_data["email"]).exists():
                raise
            self.account_already_exists = True
            return super().try_save(request)

    def save(self, request: HttpRequest) -> Any:
        """The person, with the organization; the mail is sent after the transaction."""
        with turn(), transaction.atomic():
            return super().save(request)

    def custom_signup(self, request: HttpRequest, user: Any) -> None:
        """What allauth does not know of a person."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        actor = Actor.person(user.id, str(user), origin_of(request))
        name = self.cleaned_data.get("organization")
        if name:
            services.create_organization(name=name, admin=user, actor=actor)
