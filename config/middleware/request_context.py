"""Middleware for every request: request ID, origin, log line, headers and body limits."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from apikeys.api.error_responses import is_api
from apikeys.api.middleware import count_usage, set_api_headers
from config import error_views
from config.health import CHECKS
from config.postgresql import wait_budget
from core import response_headers
from core.exceptions import Busy
from core.request_bodies import REFUSED, busy, receivers
from core.request_context import (
    CurrentRequest,
    is_https,
    read_request_context,
    request_context_of,
)

_PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), clipboard-write=(self)"
#: Maximum characters of all headers. Browsers send a few hundred, and up to 4096 per cookie.
_MOST_HEADERS: Final = 32 * 1024
_TOO_MANY: Final = 429
_log = structlog.get_logger(__name__)


def request_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Sets the request's origin and the response's ID. Logs one line without the query string."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        origin = read_request_context(request.META, settings.TRUSTED_PROXIES)
        _believe_proxy(request.META)
        if "HTTP_USER_AGENT" in request.META:
            # Redacted, so that code that stores it, such as the list of sessions, stores no key.
            request.META["HTTP_USER_AGENT"] = origin.user_agent
        called = is_api(request.path)
        if called:
            request.META.pop("HTTP_COOKIE", None)  # no session, no CSRF cookie: keys only
        request.origin = origin  # type: ignore[attr-defined]
        current = CurrentRequest(request)
        with current, wait_budget.Budget(settings.DATABASE_TIMEOUT):
            response = get_response(request)
            if not called or _is_worth_a_line(request, response):
                if not called:
                    _read_person(request, response)
                _log_answer(request, response, started)
        response_headers.set_header(response, "X-Request-Id", origin.request_id)
        if current.key_use:
            count_usage(current.key_use, response)
        if called or request.path in CHECKS:
            set_api_headers(request, response)
        else:
            _set_page_headers(response)
        return response

    return middleware


def refuse_large(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Rejects a body (413) or headers (431) larger than a page accepts, without reading them.

    Django limits the text fields of a form, but neither uploaded files nor headers.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if sum(len(v) for k, v in request.META.items() if k.startswith("HTTP_")) > _MOST_HEADERS:
            request.META.pop("HTTP_COOKIE", None)  # the error page would read it
            return error_views.headers_too_large(request)
        if _body_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return error_views.too_large(request)
        return get_response(request)

    return middleware


def receive_body(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Receives the form of a page, unless its client is already sending too many others."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _body_length(request):
            return get_response(request)
        try:
            if REFUSED in request.META:
                raise busy()
            origin = request_context_of(request)
            # Requests without a known IP address can come from different clients.
            receivers.receive(origin.ip or origin.request_id, lambda: request.body)
        except Busy as refusal:
            return error_views.busy(request, refusal)
        return get_response(request)

    return middleware


def refuse_null(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Rejects NUL in a page's query string, which PostgreSQL can't search for. The API names it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") and not is_api(request.path):
            raise BadRequest
        return get_response(request)

    return middleware


def _body_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # as Django treats it


def _believe_proxy(meta: dict[str, Any]) -> None:
    """Uses the scheme that a trusted proxy forwards. Ignores the header from others."""
    if "HTTP_X_FORWARDED_PROTO" in meta and is_https(meta, settings.TRUSTED_PROXIES):
        meta["wsgi.url_scheme"] = "https"


def _log_answer(request: HttpRequest, response: HttpResponse, started: float) -> None:
    _log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )


def _read_person(request: HttpRequest, response: HttpResponse) -> None:
    """Loads the session's user for the log of a rejected request, if not loaded yet.

    Not for 429, which must be cheap.
    """
    refused = 400 <= response.status_code < 500 and response.status_code != _TOO_MANY
    if refused and hasattr(request, "user") and settings.SESSION_COOKIE_NAME in request.COOKIES:
        with suppress(DatabaseError, InterfaceError):
            bool(request.user.is_authenticated)


def _is_worth_a_line(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether to log it. Successful API reads are only counted as usage, which costs less."""
    quiet = response.status_code < 400 and request.method in ("GET", "HEAD")
    return not quiet or settings.API_ACCESS_LOG


def _set_page_headers(response: HttpResponse) -> None:
    response["Permissions-Policy"] = _PERMISSIONS
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # Static files have set their own. Pages are private.
    response.headers.setdefault("Cache-Control", "private, no-store")
