"""What every request gets before all else: an id, an origin, a log line, its headers."""

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
#: Characters of all headers together. Browsers send a few hundred, and cookies at most 4096 each.
_MOST_HEADERS: Final = 32 * 1024
_TOO_MANY: Final = 429
_log = structlog.get_logger(__name__)


def request_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives the request its origin and the answer its id; logs one line without the query."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        origin = read_request_context(request.META, settings.TRUSTED_PROXIES)
        _believe_proxy(request.META)
        if "HTTP_USER_AGENT" in request.META:
            # Whoever keeps it from here on, such as the list of sessions, keeps no key with it.
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
    """413 for a body, 431 for headers that are larger than a page takes; neither is read.

    Django bounds the texts of a form, and neither the files that come with them nor headers.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if sum(len(v) for k, v in request.META.items() if k.startswith("HTTP_")) > _MOST_HEADERS:
            request.META.pop("HTTP_COOKIE", None)  # which the page itself would read
            return error_views.headers_too_large(request)
        if _body_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return error_views.too_large(request)
        return get_response(request)

    return middleware


def receive_body(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Receives the form of a page, if not too many others of its address are being received."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _body_length(request):
            return get_response(request)
        try:
            if REFUSED in request.META:
                raise busy()
            origin = request_context_of(request)
            # Requests whose address is unknown are not all from the same client.
            receivers.receive(origin.ip or origin.request_id, lambda: request.body)
        except Busy as refusal:
            return error_views.busy(request, refusal)
        return get_response(request)

    return middleware


def refuse_null(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """400 for a NUL in the query of a page, which PostgreSQL cannot look for; the API names it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") and not is_api(request.path):
            raise BadRequest
        return get_response(request)

    return middleware


def _body_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # as Django counts it


def _believe_proxy(meta: dict[str, Any]) -> None:
    """The scheme that a trusted proxy forwards; nobody else's header counts."""
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
    """Reads for the log whose session came with a refusal, where the answer has not needed it.

    Not with 429, whose point is to cost little.
    """
    refused = 400 <= response.status_code < 500 and response.status_code != _TOO_MANY
    if refused and hasattr(request, "user") and settings.SESSION_COOKIE_NAME in request.COOKIES:
        with suppress(DatabaseError, InterfaceError):
            bool(request.user.is_authenticated)


def _is_worth_a_line(request: HttpRequest, response: HttpResponse) -> bool:
    """Calls that went well and changed nothing are in the usage; a line would cost more."""
    quiet = response.status_code < 400 and request.method in ("GET", "HEAD")
    return not quiet or settings.API_ACCESS_LOG


def _set_page_headers(response: HttpResponse) -> None:
    response["Permissions-Policy"] = _PERMISSIONS
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # Files say for themselves how long they may be kept; what people see is theirs alone.
    response.headers.setdefault("Cache-Control", "private, no-store")
