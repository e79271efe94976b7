"""The application without short responses to callers that ignore rejections.

For tests that repeatedly send an expired or revoked key and check each rejection.
"""

from importlib import import_module
from typing import Any

from config.wsgi import application

__all__ = ["application"]

#: After the application, which sets Django up.
_hammering: Any = import_module("config.wsgi_shield")
_hammering.MOST = 10**9
