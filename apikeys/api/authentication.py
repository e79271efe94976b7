"""DRF authentication by API key. Cookies are never read."""

from typing import Final

import structlog
from django.db import DatabaseError
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    PermissionDenied,
    Throttled,
)
from rest_framework.request import Request

from apikeys import services
from apikeys.usage.key_request import KeyUse
from apikeys.verification.types import Refusal, Verification, VerifiedKey
from apikeys.verification.verify import verify
from core.actors import Actor
from core.redaction import first_line
from core.request_context import request_context_of, set_key_use
from core.timestamps import rfc3339

INVALID_KEY: Final = "No valid API key was sent. Send one as “Authorization: Bearer <key>”."
INVALID_KEY_CODE: Final = "invalid_api_key"
_REALM: Final = 'Bearer realm="api"'
_LONGEST_HEADER: Final = 200
_log = structlog.get_logger(__name__)

_ENDED: Final[dict[Refusal, tuple[str, str]]] = {
    Refusal.REVOKED: ("key_revoked", "This API key was revoked on {when}."),
    Refusal.EXPIRED: ("key_expired", "This API key expired on {when}."),
    Refusal.DISABLED: ("key_disabled", "This API key was disabled on {when}."),
    Refusal.SERVICE_ACCOUNT_DISABLED: (
        "key_disabled",
        "The service account of this API key was disabled on {when}.",
    ),
    Refusal.ROTATED: (
        "key_rotated",
        "This secret stopped working on {when}, after a rotation. Use the key's newer secret.",
    ),
}


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to an Actor and `request.auth` to the VerifiedKey.

    There is one instance per request.
    """

    #: Set once a genuine key was sent, even if it is rejected.
    key_use: KeyUse | None = None

    def authenticate(self, request: Request) -> tuple[Actor, VerifiedKey] | None:
        """Returns None without an Authorization header. Raises if the key is rejected."""
        # Django's request: access through DRF's wrapper costs as much as a cached verification.
        http = request._request  # noqa: SLF001
        header = _header(http)
        if not header:
            return None
        origin = request_context_of(http)
        outcome = verify(_bearer_token(header), origin.ip)
        if outcome.found:
            self.key_use = KeyUse(outcome.found, origin, outcome.digest, not outcome.refusal)
            set_key_use(self.key_use)
        if outcome.found is None or outcome.refusal:
            raise refusal_of(request, outcome)
        return services.actor_of(outcome.found, origin), outcome.found

    def authenticate_header(self, request: Request) -> str:
        """The challenge of RFC 6750: no error attribute without an Authorization header."""
        return f'{_REALM}, error="invalid_token"' if _header(request) else _REALM


def _header(request: Request | HttpRequest) -> str:
    value: str = request.META.get("HTTP_AUTHORIZATION", "")
    return value.strip(" \t")


def _bearer_token(header: str) -> str:
    """The token; for any other header an empty string, which is never a valid key."""
    scheme, _, token = header.partition(" ")
    is_bearer = scheme.lower() == "bearer" and len(header) <= _LONGEST_HEADER
    return token.strip(" ") if is_bearer else ""


class TooManyGuesses(Throttled):
    """The IP address has sent too many unknown keys, so this key was not looked up."""


def refusal_of(request: Request, outcome: Verification) -> APIException:
    """The error for a rejected key. Only the holder of a genuine secret learns the reason."""
    found, reason = outcome.found, outcome.refusal
    if reason is Refusal.NOT_LOOKED_UP:
        return TooManyGuesses(outcome.retry_after)
    _log.info("api_key_refused", reason=reason, prefix=found.prefix if found else None)
    if found is None or reason is None:
        return AuthenticationFailed(INVALID_KEY, code=INVALID_KEY_CODE)
    if reason is Refusal.API_ACCESS_DISABLED:
        message = "API access is turned off for this organization. Contact support."
        return PermissionDenied(message, code="api_access_disabled")
    if reason is Refusal.ROTATED:
        _leave_trace(request, found)
    code, message = _ENDED[reason]
    when = rfc3339(outcome.since) if outcome.since else ""
    return AuthenticationFailed(message.format(when=when), code=code)


def _leave_trace(request: Request, found: VerifiedKey) -> None:
    actor = services.actor_of(found, request_context_of(request))
    try:
        services.record_retired_use(secret_id=found.secret_id, actor=actor)
    except DatabaseError as error:
        _log.error("retired_use_not_recorded", reason=first_line(error))
