"""The sign-up form: creates a user with an organization, or joins the inviting one."""

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
from core.forms import TextField, cleaned
from core.request_context import request_context_of
from core.sqlite_writers import write_lock
from core.text import EMAIL_LENGTH, canonical_email
from organizations import services
from organizations.email_names import clean_mailed_name
from organizations.models import User
from organizations.services.invitation_links import INVITATION_KEY
from organizations.signin.forms import PlainFields
from organizations.signin.invitations import invitation_of
from organizations.signin.passwords import refuse_words


class InvitedEmailField(forms.EmailField):
    """The email address of an invitation, shown read-only."""

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
        """The invited address, or an error that names it."""
        text = str(value or "")
        if len(text) > EMAIL_LENGTH or canonical_email(text) != canonical_email(str(self.initial)):
            raise forms.ValidationError(self.error_messages["other"])
        return str(self.initial)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial  # the field is read-only, so a different address could not be corrected


class SignUpForm(PlainFields, SignupForm):  # type: ignore[misc]
    """Creates a user and their organization, or a member of the inviting organization."""

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
            self.initial.pop("email", None)  # may come from the query string

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        return cleaned(clean_mailed_name, name, "name") if name else ""

    def clean_organization(self) -> str:
        return cleaned(clean_mailed_name, self.cleaned_data["organization"], "organization")

    def clean(self) -> Any:
        """Also checks that the password is more than the organization's name."""
        data = super().clean() or {}
        if self.invitation and self.account_already_exists:
            # The link proves access to the mailbox, so this reveals nothing to strangers.
            self.add_error("email", "This address already has an account. Sign in to join.")
        name = self.invitation.organization.name if self.invitation else data.get("organization")
        try:
            refuse_words(data.get("password1") or "", [name or ""])
        except forms.ValidationError as refusal:
            self.add_error("password1", refusal)
        return data

    def validate_unique_email(self, value: str) -> str:
        """A sign-up that was never confirmed doesn't block its address."""
        self.replaced = services.replaceable_sign_up(value)
        owner = User.objects.owner_of(value)
        self.account_already_exists = owner is not None and self.replaced is None
        return value

    def try_save(self, request: HttpRequest) -> Any:
        """Treats an address as taken if a concurrent sign-up with it was faster.

        Takes the same time for a taken address, so that timing doesn't reveal it.
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
        """Does everything that a sign-up does, with a made-up address, and rolls it back."""
        taken = self.cleaned_data["email"]
        self.account_already_exists = False
        self.cleaned_data["email"] = f"{uuid4().hex}@rehearsal.invalid"
        try:
            with write_lock(), transaction.atomic():
                self.save(request)
                transaction.set_rollback(True)
        finally:
            self.account_already_exists = True
            self.cleaned_data["email"] = taken

    def save(self, request: HttpRequest) -> Any:
        """Saves the user and the organization. The email is sent after the transaction."""
        with write_lock(), transaction.atomic():
            user = self._save_person(request)
            if self.invitation:
                actor = Actor.person(user.id, str(user), request_context_of(request))
                services.accept_invitation(request.session[INVITATION_KEY], actor=actor)
        if self.invitation:
            del request.session[INVITATION_KEY]
            # They are signed in by the password that they just chose.
            record_authentication(request, user, method="password", email=user.email)
        return user

    def _save_person(self, request: HttpRequest) -> Any:
        """Saves the user, replacing an unconfirmed sign-up with the same address."""
        mailed = None
        if self.replaced and not self.account_already_exists:
            actor = Actor.system("sign-up", request_context_of(request))
            mailed = services.replace_sign_up(self.replaced, actor=actor)
        user = super().save(request)
        address = EmailAddress.objects.get(user=user)
        if mailed:
            # Links mailed for the replaced sign-up must keep working: the limit delays a new email.
            EmailAddress.objects.filter(pk=address.pk).update(id=mailed)
        if address.verified:
            actor = Actor.system("mailed link", request_context_of(request))
            services.claim_address(address, actor=actor)
        return user

    def custom_signup(self, request: HttpRequest, user: Any) -> None:
        """Saves what allauth doesn't know about a user."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        actor = Actor.person(user.id, str(user), request_context_of(request))
        name = self.cleaned_data.get("organization")
        if name:
            services.create_organization(name=name, admin=user, actor=actor)
