"""How django-allauth keeps second factors here."""

import structlog
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret

from organizations.signin import encryption

_log = structlog.get_logger(__name__)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seeds of authenticator apps and recovery codes are encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return encryption.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The seed; one that nobody knows where it cannot be read, so that no code fits."""
        try:
            return encryption.unseal(encrypted_text)
        except encryption.Unreadable:
            _log.error("second_factor_unreadable")
            unknown: str = generate_totp_secret()
            return unknown
