"""A server that breaks the promise on purpose: a key keeps the authority that it came with.

It verifies a key before the body is here, and its operations do not read the key again.
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
