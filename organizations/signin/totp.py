"""Codes of authenticator apps: that of now and the one before it, each good once.

allauth's own tolerance takes the code to come as well, and forgets a used code after one period,
while an older one is still good (65.21.1).
"""

import time
from collections.abc import Iterator
from typing import Any, Final

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.totp.internal import auth
from django.core.cache import cache

#: A code that is typed as it changes on the phone, or by a clock that is a little slow.
_STEPS_BACK: Final = 1


def take_one_step_back() -> None:
    """Gives allauth these rules; for the start of the application."""
    auth.yield_hotp_counters_from_time = _steps
    auth.TOTP._mark_code_used = _mark_used  # noqa: SLF001


def _steps() -> Iterator[int]:
    now = int(time.time()) // app_settings.TOTP_PERIOD
    yield from range(now, now - _STEPS_BACK - 1, -1)


def _mark_used(used: Any, code: str) -> bool:
    """Whether the code was not used before; remembered for as long as it is good."""
    key = f"totp.used:{used.instance.user_id}:{normalize_user_code(code)}"
    return bool(cache.add(key, "y", timeout=app_settings.TOTP_PERIOD * (1 + _STEPS_BACK)))
