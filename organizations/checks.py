"""System check for settings that let a revocation return before it takes effect."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import Error, register
from django.core.exceptions import ImproperlyConfigured

#: ID of the system check, for `SILENCED_SYSTEM_CHECKS`.
ATOMIC_REQUESTS_ID: Final = "organizations.E001"
_MESSAGE: Final = "DATABASES[{alias!r}] sets ATOMIC_REQUESTS."
_HINT: Final = (
    "Remove ATOMIC_REQUESTS. Each operation opens its own transaction. Inside a request's"
    " transaction, an error would roll it back, and it would hold its locks until the response is"
    " built. Wrap single views in transaction.atomic() instead; they wait at its commit."
)


def register_checks() -> None:
    register(check_atomic_requests)


def check_atomic_requests(app_configs: Sequence[Any] | None, **_: Any) -> list[Error]:
    """One error for each database that sets ATOMIC_REQUESTS."""
    return [
        Error(_MESSAGE.format(alias=alias), hint=_HINT, id=ATOMIC_REQUESTS_ID)
        for alias, database in settings.DATABASES.items()
        if database.get("ATOMIC_REQUESTS")
    ]


def refuse_atomic_requests() -> None:
    """Raises ImproperlyConfigured. For servers, which start without system checks."""
    for error in check_atomic_requests(None):
        raise ImproperlyConfigured(f"{error.msg} {error.hint}")
