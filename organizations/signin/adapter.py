"""allauth's adapter: email addresses, links, rate limits and reauthentication."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import MAX_URL_LENGTH

from core.actors import Actor
from core.forms import cleaned
from core.redaction import decoded, holds_secret
from core.request_context import request_context_of
from core.text import canonical_email, clean_email
from organizations import services
from organizations.mail import compose
from organizations.signin import known_devices
from organizations.signin.account_changes import after_change
from organizations.signin.account_mail import send_or_show_error
from organizations.signin.event_log import UNKNOWN_IP
from organizations.signin.invitations import invitation_of
from organizations.signin.reauthentication import has_recently_authenticated
from organizations.site_url import site_link

#: How long the link of an email works, by its template.
_LIFETIMES: Final = {
    "account/email/password_reset_key": timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    **dict.fromkeys(
        ("account/email/email_confirmation", "account/email/email_confirmation_signup"),
        timedelta(days=app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS),
    ),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Counts rate limits by the client IP address that the middleware determined."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Email or password is incorrect.",
        "too_many_login_attempts": "Too many attempts. Try again in a few minutes.",
        "rate_limited": "Too many attempts. Try again in a few minutes.",
    }

    def clean_email(self, email: str) -> str:
        """Returns the canonical form, for sign-ups, added addresses and resets."""
        return cleaned(clean_email, email, "email")

    def get_client_ip(self, request: HttpRequest) -> str:
        """The IP address, or a unique text if it is unknown, so that no limit is shared."""
        origin = request_context_of(request)
        return origin.ip or f"{UNKNOWN_IP}-{origin.request_id}"

    def get_http_user_agent(self, request: HttpRequest) -> str:
        """The user agent without secrets, since it is shown in emails."""
        return request_context_of(request).user_agent

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Also used for the link that staff send."""
        return site_link(self.request, super().get_reset_password_from_key_url(key))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sends an email whose links start with `SITE_URL`; allauth uses the request's Host.

        Adds when and from which IP address it was requested. Emails that strangers get show no user
        agent, which the sender of the request chooses.
        """
        pages = {"home_url": "/", "sessions_url": reverse("usersessions_list")}
        links = {
            name: site_link(self.request, value)
            for name, value in {**pages, **context}.items()
            if name.endswith("_url")
        }
        now, origin = timezone.now(), request_context_of(self.request)
        known = {
            "email": email,
            "asked_at": now,
            "ip": origin.ip,
            "expires_at": now + _LIFETIMES.get(template_prefix, timedelta()),
            "home": links["home_url"].rstrip("/"),
        }
        message = compose(f"{template_prefix}.html", email, {**context, **known, **links})
        after_change(
            partial(send_or_show_error, self.request, message.send, template_prefix, email)
        )

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Without the Host, whose ports would count separately (allauth 65.21.1). A known browser
        # is counted separately: other people's attempts don't lock its owner out.
        email = canonical_email(credentials.get("email", ""))
        number = known_devices.number_of(request, email)
        return f"device:{number}" if number else email

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        # Clears the attempts of this browser and of all others (allauth 65.21.1).
        super()._delete_login_attempts_cached_email(request, **credentials)
        others = canonical_email(credentials.get("email", ""))
        ratelimit.clear(request, action="login_failed", key=others)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **options)
        known_devices.remember(request, response, user)
        return response

    def send_notification_mail(self, template_prefix: str, *args: Any, **options: Any) -> None:
        # After the change: it must not be undone if its email can't be sent.
        notify = partial(super().send_notification_mail, template_prefix, *args, **options)
        after_change(notify)

    def is_safe_url(self, url: str | None) -> bool:
        # Splitting a URL normalizes its host, which is slow for a long one.
        if len(url or "") > MAX_URL_LENGTH or holds_secret(decoded(url or "")):
            return False
        return bool(super().is_safe_url(url))

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """True with an invitation to this address: its link was only mailed there."""
        invitation = invitation_of(request)
        if invitation is None:
            return False
        return canonical_email(invitation.email) == canonical_email(email)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Also removes the address from other accounts that haven't confirmed it."""
        actor = Actor.system("mailed link", request_context_of(request))
        if not services.claim_address(email_address, actor=actor):
            return False
        confirmed: bool = super().confirm_email(request, email_address)
        if confirmed and not email_address.primary:
            context = {"confirmed_email": email_address.email}
            self.send_notification_mail("account/email/email_confirm", email_address.user, context)
        return confirmed

    def is_reauthentication_required(self, *, app: str, **_: object) -> bool:
        # A recent sign-in counts as a confirmation, as on the pages about keys.
        return not has_recently_authenticated(self.request)
