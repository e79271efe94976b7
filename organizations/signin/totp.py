"""Accepts the current TOTP code and the previous one, each once.

allauth's own tolerance also accepts the next code, and forgets a used code after one period while
it is still valid (65.21.1).
"""

import time
from collections.abc import Iterator
from typing import Any, Final

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.totp.internal import auth
from django.core.cache import cache

#: For codes that change while they are typed, and for clocks that are slightly slow.
_STEPS_BACK: Final = 1


def accept_previous_code() -> None:
    """Patches allauth when the application starts."""
    auth.yield_hotp_counters_from_time = _steps
    auth.TOTP._mark_code_used = _mark_used  # noqa: SLF001


def _steps() -> Iterator[int]:
    now = int(time.time()) // app_settings.TOTP_PERIOD
    yield from range(now, now - _STEPS_BACK - 1, -1)


def _mark_used(used: Any, code: str) -> bool:
    """Whether the code was not used before. Remembered as long as the code is valid."""
    key = f"totp.used:{used.instance.user_id}:{normalize_user_code(code)}"
    return bool(cache.add(key, "y", timeout=app_settings.TOTP_PERIOD * (1 + _STEPS_BACK)))
