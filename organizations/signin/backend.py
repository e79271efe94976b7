"""Signing in by email address and password (allauth 65.21.1)."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from organizations.models import User
from organizations.signin.account_mail import unnoticed


class SignInBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, without the addresses that accounts have added and not confirmed."""

    def authenticate(
        self, request: HttpRequest | None, **credentials: Any
    ) -> AbstractBaseUser | None:
        """The person; for an unconfirmed sign-up None, as for a wrong password.

        Otherwise, signing up and then in would tell whether an address has an account. The link
        is mailed again instead.
        """
        user: User | None = super().authenticate(request, **credentials)
        email = credentials.get("email") or credentials.get("username")
        if user is None or EmailAddress.objects.filter(user=user, email=email, verified=True):
            return user
        address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
        if address.verified:
            return user
        if request is not None:
            with unnoticed():
                send_verification_email_to_address(request, address, signup=True)
        return None

    def _authenticate_by_email(self, email: str, password: str) -> AbstractBaseUser | None:
        found: AbstractBaseUser | None = self._check_password(User.objects.behind(email), password)
        return found
