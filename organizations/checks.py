"""Settings under which a withdrawal would answer before it is in force."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import Error, register
from django.core.exceptions import ImproperlyConfigured

#: The id of the system check, for `SILENCED_SYSTEM_CHECKS` and searches.
ATOMIC_REQUESTS_ID: Final = "organizations.E001"
_MESSAGE: Final = "DATABASES[{alias!r}] sets ATOMIC_REQUESTS."
_HINT: Final = (
    "Remove ATOMIC_REQUESTS. Each operation is a transaction of its own. Inside a request's"
    " transaction, a refusal would undo it, and it would hold its locks until the response is"
    " built. Wrap single views in transaction.atomic() instead; they wait at its commit."
)


def register_checks() -> None:
    """Adds the checks to `manage.py check`; for the start of the application."""
    register(check_atomic_requests)


def check_atomic_requests(app_configs: Sequence[Any] | None, **_: Any) -> list[Error]:
    """An error for each database whose requests are transactions."""
    return [
        Error(_MESSAGE.format(alias=alias), hint=_HINT, id=ATOMIC_REQUESTS_ID)
        for alias, database in settings.DATABASES.items()
        if database.get("ATOMIC_REQUESTS")
    ]


def refuse_atomic_requests() -> None:
    """Raises ImproperlyConfigured; for servers, which start without system checks."""
    for error in check_atomic_requests(None):
        raise ImproperlyConfigured(f"{error.msg} {error.hint}")
