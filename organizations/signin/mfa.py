"""allauth's MFA adapter."""

import structlog
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret

from organizations.signin import encryption

_log = structlog.get_logger(__name__)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts the seeds of authenticator apps and recovery codes."""

    def encrypt(self, text: str) -> str:
        return encryption.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The seed, or a random one if it can't be decrypted, so that no code is valid."""
        try:
            return encryption.unseal(encrypted_text)
        except encryption.Unreadable:
            _log.error("second_factor_unreadable")
            unknown: str = generate_totp_secret()
            return unknown
