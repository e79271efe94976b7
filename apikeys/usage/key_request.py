"""The key of a request and what became of it, from authentication to response."""

from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from apikeys.ratelimits.budgets import Limit
from apikeys.verification.types import VerifiedKey
from core.actors import RequestContext


class Result(StrEnum):
    """The result of a request with a genuine secret: success, an error, or why it was refused."""

    OK = "ok"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    FORBIDDEN = "forbidden"
    KEY_REVOKED = "key_revoked"
    KEY_ROTATED = "key_rotated"
    KEY_EXPIRED = "key_expired"
    KEY_DISABLED = "key_disabled"
    API_ACCESS_DISABLED = "api_access_disabled"


#: Results of requests that were refused.
REFUSED = frozenset(Result) - {Result.OK, Result.CLIENT_ERROR, Result.SERVER_ERROR}


#: Plain strings: reading or hashing an enum member takes a Python function call.
_RESULTS = frozenset(str(result.value) for result in Result)
_OK, _CLIENT_ERROR, _SERVER_ERROR, _FORBIDDEN, _RATE_LIMITED = (
    str(result.value)
    for result in (
        Result.OK,
        Result.CLIENT_ERROR,
        Result.SERVER_ERROR,
        Result.FORBIDDEN,
        Result.RATE_LIMITED,
    )
)
#: Results for statuses that a product's own view may return without raising an exception.
_REFUSING: Final = {
    HTTPStatus.UNAUTHORIZED.value: _FORBIDDEN,
    HTTPStatus.FORBIDDEN.value: _FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS.value: _RATE_LIMITED,
}


@dataclass(slots=True)
class KeyUse:
    """What is known of a request's key. The view adds what happens to the request.

    `digest` is that of the secret under the newest pepper. `refusal` is the error code of a
    refusal, `scope` the scope that the request needed.
    """

    found: VerifiedKey
    origin: RequestContext
    digest: bytes = field(repr=False)
    usable: bool = True
    limit: Limit | None = None
    refusal: str = ""
    scope: str | None = None

    def result(self, status: int) -> str:
        """The result of the request, from the reason for a refusal or the response's status."""
        if self.refusal:
            if self.refusal in _RESULTS:
                return self.refusal
            return _RATE_LIMITED if status == HTTPStatus.TOO_MANY_REQUESTS else _FORBIDDEN
        if status < 400:
            return _OK
        if status in _REFUSING:
            return _REFUSING[status]
        return _CLIENT_ERROR if status < 500 else _SERVER_ERROR
