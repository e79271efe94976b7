"""Deliberately broken server: a request keeps the permissions that its key had when it arrived.

It verifies a key before the body has arrived, and its operations don't read the key again.
"""

from importlib import import_module
from typing import Any

from config.wsgi import application

__all__ = ["application"]

#: After the application, which sets Django up.
_keyed: Any = import_module("apikeys.api.views")
_acting: Any = import_module("apikeys.services.acting")
_keyed._receive_body = lambda request, organization_id: False
_acting._current = lambda actor: actor
