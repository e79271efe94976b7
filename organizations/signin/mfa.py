"""allauth's MFA adapter."""

from typing import Any

import structlog
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret

from core.request_context import request_context_of
from core.user_agents import describe
from organizations.signin import encryption

_log = structlog.get_logger(__name__)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts the seeds of authenticator apps and recovery codes."""

    def encrypt(self, text: str) -> str:
        return encryption.seal(text)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """A passkey is named after the browser that adds it."""
        return describe(request_context_of(context.request).user_agent)

    def decrypt(self, encrypted_text: str) -> str:
        """The seed, or a random one if it can't be decrypted, so that no code is valid."""
        try:
            return encryption.unseal(encrypted_text)
        except encryption.Unreadable:
            _log.error("second_factor_unreadable")
            unknown: str = generate_totp_secret()
            return unknown
