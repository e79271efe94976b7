"""The application without short answers to callers that ignore refusals.

For tests that ask with a key that has ended, again and again, and look at each refusal.
"""

from importlib import import_module
from typing import Any

from config.wsgi import application

__all__ = ["application"]

#: After the application, which sets Django up.
_hammering: Any = import_module("config.wsgi_shield")
_hammering.MOST = 10**9
