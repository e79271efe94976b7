"""How django-allauth meets this application: addresses, sign-up, the words of refusals."""

from functools import partial
from typing import Any
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import SignupForm
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.core import context, ratelimit
from django import forms
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import MAX_URL_LENGTH

from organizations import known_devices, services
from organizations.account_changes import after_change
from organizations.account_mail import send_or_tell
from organizations.actors import Actor
from organizations.exceptions import Conflict, NotFound
from organizations.forms import BoundedTexts, TextField, cleaned
from organizations.mailed_names import clean_mailed_name
from organizations.models import Invitation, User
from organizations.origin import origin_of
from organizations.passwords import refuse_words
from organizations.recency import is_recent
from organizations.services.invitations import require_open
from organizations.services.links import INVITATION_KEY, invitation_behind
from organizations.sign_ins import UNKNOWN_IP
from organizations.site_url import site_link
from organizations.text import EMAIL_LENGTH, canonical_email, clean_email
from organizations.turns import turn


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Limits count by the address that the middleware believes."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail or password is incorrect.",
        "too_many_login_attempts": "Too many attempts. Try again in a few minutes.",
        "rate_limited": "Too many attempts. Try again in a few minutes.",
    }

    def clean_email(self, email: str) -> str:
        """As it is kept: of sign-up, of a further address and of a reset."""
        return cleaned(clean_email, email, "email")

    def get_client_ip(self, request: HttpRequest) -> str:
        """Another text for each request whose address is unknown, which then share no limit."""
        origin = origin_of(request)
        return origin.ip or f"{UNKNOWN_IP}-{origin.request_id}"

    def get_http_user_agent(self, request: HttpRequest) -> str:
        """Without whatever looks like a secret, since it goes into mails."""
        return origin_of(request).user_agent

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Also the link that staff send."""
        return site_link(self.request, super().get_reset_password_from_key_url(key))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """With links to `SITE_URL`: allauth makes them from the request's Host.

        Also with when and from where it was asked for. What a browser calls itself is left out:
        strangers get these mails, and whoever asks for them chooses that text.
        """
        links = {
            name: site_link(self.request, value)
            for name, value in context.items()
            if name.endswith("_url")
        }
        asked = {"asked_at": timezone.now(), "asked_from": origin_of(self.request).ip}
        known = {"request": self.request, "email": email}
        message = self.render_mail(template_prefix, email, {**known, **asked, **context, **links})
        after_change(partial(send_or_tell, self.request, message.send, template_prefix, email))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Without the Host, each port of which would count by itself (allauth 65.21.1).

        A browser that is known counts for itself: what others try doesn't keep its owner out.
        """
        email = canonical_email(credentials.get("email", ""))
        number = known_devices.number_of(request, email)
        return f"device:{number}" if number else email

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Those of this browser and of all others, after a mailed link (allauth 65.21.1)."""
        super()._delete_login_attempts_cached_email(request, **credentials)
        others = canonical_email(credentials.get("email", ""))
        ratelimit.clear(request, action="login_failed", key=others)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **options)
        known_devices.remember(request, response, user)
        return response

    def send_notification_mail(self, template_prefix: str, *args: Any, **options: Any) -> None:
        """What was changed stays changed where the mail about it cannot be sent."""
        notify = partial(super().send_notification_mail, template_prefix, *args, **options)
        after_change(notify)

    def is_safe_url(self, url: str | None) -> bool:
        """Splitting a URL normalizes its host, so that only a short one is looked at."""
        return len(url or "") <= MAX_URL_LENGTH and bool(super().is_safe_url(url))

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Whether the link of an invitation, which was mailed there alone, has shown it."""
        invitation = invitation_of(request)
        if invitation is None:
            return False
        return canonical_email(invitation.email) == canonical_email(email)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Also takes the address from the accounts that wait for it."""
        actor = Actor.system("mailed link", origin_of(request))
        if not services.claim_address(email_address, actor=actor):
            return False
        confirmed: bool = super().confirm_email(request, email_address)
        if confirmed and not email_address.primary:
            context = {"confirmed_email": email_address.email}
            self.send_notification_mail("account/email/email_confirm", email_address.user, context)
        return confirmed

    def is_reauthentication_required(self, *, app: str, **_: object) -> bool:
        """A recent sign-in counts as much as a confirmation of it, as on the pages about keys."""
        return not is_recent(self.request)


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this browser has opened, while it can be accepted."""
    token = request.session.get(INVITATION_KEY)
    if token is None:
        return None
    try:
        invitation = invitation_behind(token)
        require_open(invitation)
    except (Conflict, NotFound):
        return None
    return invitation


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
                actor = Actor.person(user.id, str(user), origin_of(request))
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
            actor = Actor.system("sign-up", origin_of(request))
            mailed = services.replace_sign_up(self.replaced, actor=actor)
        user = super().save(request)
        address = EmailAddress.objects.get(user=user)
        if mailed:
            # Links mailed for the sign-up before lead to this one: no other mail may follow soon.
            EmailAddress.objects.filter(pk=address.pk).update(id=mailed)
        if address.verified:
            actor = Actor.system("mailed link", origin_of(request))
            services.claim_address(address, actor=actor)
        return user

    def custom_signup(self, request: HttpRequest, user: Any) -> None:
        """What allauth does not know of a person."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        actor = Actor.person(user.id, str(user), origin_of(request))
        name = self.cleaned_data.get("organization")
        if name:
            services.create_organization(name=name, admin=user, actor=actor)
