"""Deliberately broken server: returns from a revocation without waiting.

Its followers rarely check for changes and get no notifications. Leases work as they did before
there was a clock, and revocations as they did in the transactions of Django admin.
"""

from importlib import import_module
from typing import Any

from config.wsgi import application

__all__ = ["application"]

#: After the application, which sets Django up.
_withdrawal: Any = import_module("core.revocation_wait")
_follower: Any = import_module("core.revocation_clock.follower")
_withdrawal.wait_for_followers = lambda: None
_follower.POLL = 0.9
_follower.Follower._listen = lambda self: None
