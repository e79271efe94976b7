"""Maps exceptions to API errors: status, code, message, fields and headers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.views import exception_handler as drf_headers

from apikeys.api.authentication import INVALID_KEY, INVALID_KEY_CODE, TooManyGuesses
from core.exceptions import (
    Busy,
    Conflict,
    DomainError,
    ErrorCode,
    Forbidden,
    Invalid,
    LacksScope,
    Mismatch,
    NotFound,
    Problem,
)

RETRY_SECONDS: Final = "5"
ERROR_TYPES: Final[Mapping[int, str]] = {
    400: "validation_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "request_too_large",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}
_SENTENCES: Final[Mapping[int, str]] = {
    400: "The request is malformed.",
    403: "This is not allowed.",
    404: "No such resource.",
    413: "The request body is too large.",
    500: "Something went wrong on our side. Tell us the request id if it happens again.",
    503: "The service is not available right now. Try again in a few seconds.",
}
_DOMAIN: Final[tuple[tuple[type[DomainError], int], ...]] = (
    (Invalid, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (Busy, 429),
    (Conflict, 409),
    (Mismatch, 422),
)


@dataclass(frozen=True, slots=True)
class ApiError:
    """The content of an error response, before a wire format gives it a shape."""

    status: int
    code: str
    message: str
    problems: tuple[Problem, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Whether the fields already have the format's names instead of the canonical ones.
    named_as_sent: bool = False

    @property
    def type(self) -> str:
        """The error type, such as ``not_found``. It depends on the status alone."""
        return error_type(self.status)


class OrganizationThrottled(drf.Throttled):
    """The organization's rate limit is reached, even if the key's own is not."""


def error_type(status: int) -> str:
    """The error type of a status. A product's own views may use any status."""
    return ERROR_TYPES.get(status) or ERROR_TYPES[500 if status >= 500 else 400]


def failure_for_status(status: int) -> ApiError:
    """The error for a bare status, with a generic message."""
    message = _SENTENCES.get(status) or HTTPStatus(status).phrase + "."
    headers = {"Retry-After": RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return ApiError(status, error_type(status), message, headers=headers)


def api_error_of(error: Exception) -> ApiError | None:
    """The API error for an exception. None for a bug, which becomes a 500."""
    if isinstance(error, DomainError):
        return _domain_failure(error)
    if isinstance(error, OperationalError | InterfaceError):
        return failure_for_status(503)
    if isinstance(error, Http404):
        return failure_for_status(404)
    if isinstance(error, DjangoPermissionDenied):
        return failure_for_status(403)
    if isinstance(error, drf.APIException):
        return _drf_failure(error)
    return None


def _domain_failure(error: DomainError) -> ApiError:
    status = next(status for kind, status in _DOMAIN if isinstance(error, kind))
    headers = {}
    if isinstance(error, Busy):
        headers = {"Retry-After": str(error.retry_after)}
    if error.code is ErrorCode.REQUEST_IN_PROGRESS:
        headers = {"Retry-After": "1"}
    if error.code is ErrorCode.INSUFFICIENT_SCOPE:
        challenge = 'Bearer realm="api", error="insufficient_scope"'
        # Without LacksScope a field exceeds the key's scopes; the endpoint itself is allowed.
        needed = f', scope="{error.scope}"' if isinstance(error, LacksScope) else ""
        headers = {"WWW-Authenticate": challenge + needed}
    return ApiError(status, error.code, error.message, error.problems, headers)


def _drf_failure(error: drf.APIException) -> ApiError:
    response = drf_headers(error, {})
    headers = {} if response is None else dict(response.items())
    problems = tuple(_flatten(error.detail)) if isinstance(error, drf.ValidationError) else ()
    if isinstance(error, drf.Throttled):
        wait = headers.get("Retry-After")
        what = "requests with this API key"
        if isinstance(error, OrganizationThrottled):
            what = "requests with the API keys of this organization"
        if isinstance(error, TooManyGuesses):
            what = "calls with invalid API keys came from your address"
        when = f"in {wait} seconds" if wait else "later"
        message = f"Too many {what}. Try again {when}."
        return ApiError(429, "rate_limited", message, headers=headers)
    if isinstance(error, drf.NotAuthenticated):
        return ApiError(401, INVALID_KEY_CODE, INVALID_KEY, headers=headers)
    message = problems[0].message if problems else str(error.detail)
    code = problems[0].code if problems else _code(error)
    if isinstance(error, drf.ParseError):
        problems = (Problem("body", code, message),)
    return ApiError(error.status_code, code, message, problems, headers, named_as_sent=True)


def _code(error: drf.APIException) -> str:
    codes = error.get_codes()
    generic = {"parse_error": "invalid_json"}
    return generic.get(codes, codes) if isinstance(codes, str) else error_type(error.status_code)


def _flatten(detail: Any, path: str = "") -> list[Problem]:
    if isinstance(detail, dict):
        return [p for key, value in detail.items() for p in _flatten(value, _join(path, key))]
    if isinstance(detail, list):
        nested = any(isinstance(item, dict | list) for item in detail)
        return [
            problem
            for position, item in enumerate(detail)
            for problem in _flatten(item, _join(path, position) if nested else path)
        ]
    return [Problem(path or "body", getattr(detail, "code", ErrorCode.INVALID), str(detail))]


def _join(path: str, part: object) -> str:
    return f"{path}.{part}" if path and part != "" else path or str(part)
