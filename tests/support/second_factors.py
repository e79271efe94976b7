"""Codes that an authenticator app would show."""

from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)


def code_of(seed: str) -> str:
    """The code of this moment."""
    return str(format_hotp_value(hotp_value(seed, next(iter(yield_hotp_counters_from_time())))))
