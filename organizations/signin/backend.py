"""Authentication by email address and password (allauth 65.21.1)."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from organizations.models import User
from organizations.signin.account_mail import in_background


class SignInBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend without addresses that an account added but hasn't confirmed."""

    def authenticate(
        self, request: HttpRequest | None, **credentials: Any
    ) -> AbstractBaseUser | None:
        """The user, or None, also for an unconfirmed sign-up with the right password.

        Otherwise, signing up and then in would reveal whether an address has an account. The
        confirmation link is sent again instead.
        """
        user: User | None = super().authenticate(request, **credentials)
        email = credentials.get("email") or credentials.get("username")
        if user is None or EmailAddress.objects.filter(user=user, email=email, verified=True):
            return user
        address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
        if address.verified:
            return user
        if request is not None:
            with in_background():
                send_verification_email_to_address(request, address, signup=True)
        return None

    def _authenticate_by_email(self, email: str, password: str) -> AbstractBaseUser | None:
        found: AbstractBaseUser | None = self._check_password(
            User.objects.owner_of(email), password
        )
        return found
