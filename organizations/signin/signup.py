"""How django-allauth meets this application: addresses, sign-up, the words of refusals."""

from typing import Any
from uuid import uuid4

from allauth.account.forms import SignupForm
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.core import context
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from core.actors import Actor
from core.forms import BoundedTexts, TextField, cleaned
from core.request_context import request_context_of
from core.sqlite_writers import turn
from core.text import EMAIL_LENGTH, canonical_email
from organizations import services
from organizations.email_names import clean_mailed_name
from organizations.models import User
from organizations.services.invitation_links import INVITATION_KEY
from organizations.signin.invitations import invitation_of
from organizations.signin.passwords import refuse_words


class InvitedEmailField(forms.EmailField):
    """The address of an invitation, which is shown and sent and cannot be another one."""

    def __init__(self, email: str) -> None:
        attributes = {"readonly": True, "autocomplete": "username"}
        super().__init__(
            label="Email",
            initial=email,
            max_length=EMAIL_LENGTH,
            widget=forms.EmailInput(attrs=attributes),
            help_text="To join with another address, ask for an invitation to it.",
        )
        refused = f"This invitation is for {email}. To join with another address, ask for another."
        self.error_messages = dict.fromkeys(("required", "invalid", "other"), refused)

    def clean(self, value: Any) -> str:
        """The invited address, or a refusal that names it."""
        text = str(value or "")
        if len(text) > EMAIL_LENGTH or canonical_email(text) != canonical_email(str(self.initial)):
            raise forms.ValidationError(self.error_messages["other"])
        return str(self.initial)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """The invited address again: readers could not correct another one."""
        return initial


class NewcomerForm(BoundedTexts, SignupForm):  # type: ignore[misc]
    """Makes a person and their organization, or a member of the one that invites them."""

    account_already_exists: bool
    replaced: User | None = None

    name = TextField(
        label="Your name",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organization = TextField(
        label="Organization name",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation_of(context.request)
        if self.invitation:
            del self.fields["organization"]
            self.fields["email"] = InvitedEmailField(self.invitation.email)
            self.initial.pop("email", None)  # which the query may name

    def clean_name(self) -> str:
        """The name, which may be empty."""
        name: str = self.cleaned_data["name"]
        return cleaned(clean_mailed_name, name, "name") if name else ""

    def clean_organization(self) -> str:
        """The organization's name."""
        return cleaned(clean_mailed_name, self.cleaned_data["organization"], "organization")

    def clean(self) -> Any:
        """Also that the password is more than the name of the organization."""
        data = super().clean() or {}
        if self.invitation and self.account_already_exists:
            # The link has shown whose mailbox it is, so that this tells nothing to strangers.
            self.add_error("email", "This address already has an account. Sign in to join.")
        name = self.invitation.organization.name if self.invitation else data.get("organization")
        try:
            refuse_words(data.get("password1") or "", [name or ""])
        except forms.ValidationError as refusal:
            self.add_error("password1", refusal)
        return data

    def validate_unique_email(self, value: str) -> str:
        """A sign-up that was never confirmed takes an address from nobody."""
        self.replaced = services.replaceable_sign_up(value)
        owner = User.objects.behind(value)
        self.account_already_exists = owner is not None and self.replaced is None
        return value

    def try_save(self, request: HttpRequest) -> Any:
        """As if the address had been taken before, where another sign-up with it was faster.

        An address that is taken costs as much work as another, so that no clock tells it.
        """
        if self.account_already_exists:
            self._rehearse(request)
        try:
            return super().try_save(request)
        except IntegrityError:
            if not User.objects.with_email(self.cleaned_data["email"]).exists():
                raise
            self.account_already_exists = True
            return super().try_save(request)

    def _rehearse(self, request: HttpRequest) -> None:
        """All that a sign-up does, with an address of nobody's, and then nothing of it is kept."""
        taken = self.cleaned_data["email"]
        self.account_already_exists = False
        self.cleaned_data["email"] = f"{uuid4().hex}@rehearsal.invalid"
        try:
            with turn(), transaction.atomic():
                self.save(request)
                transaction.set_rollback(True)
        finally:
            self.account_already_exists = True
            self.cleaned_data["email"] = taken

    def save(self, request: HttpRequest) -> Any:
        """The person, with the organization; the mail is sent after the transaction."""
        with turn(), transaction.atomic():
            user = self._save_person(request)
            if self.invitation:
                actor = Actor.person(user.id, str(user), request_context_of(request))
                services.accept_invitation(request.session[INVITATION_KEY], actor=actor)
        if self.invitation:
            del request.session[INVITATION_KEY]
            # They are signed in without a confirmation, by the password that they have just chosen.
            record_authentication(request, user, method="password", email=user.email)
        return user

    def _save_person(self, request: HttpRequest) -> Any:
        """The person, in the place of a sign-up with the same address that was not confirmed."""
        mailed = None
        if self.replaced and not self.account_already_exists:
            actor = Actor.system("sign-up", request_context_of(request))
            mailed = services.replace_sign_up(self.replaced, actor=actor)
        user = super().save(request)
        address = EmailAddress.objects.get(user=user)
        if mailed:
            # Links mailed for the sign-up before lead to this one: no other mail may follow soon.
            EmailAddress.objects.filter(pk=address.pk).update(id=mailed)
        if address.verified:
            actor = Actor.system("mailed link", request_context_of(request))
            services.claim_address(address, actor=actor)
        return user

    def custom_signup(self, request: HttpRequest, user: Any) -> None:
        """What allauth does not know of a person."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        actor = Actor.person(user.id, str(user), request_context_of(request))
        name = self.cleaned_data.get("organization")
        if name:
            services.create_organization(name=name, admin=user, actor=actor)
