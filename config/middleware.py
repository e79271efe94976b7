"""What every request gets before all else: an id, an origin, a log line, its headers."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from apikeys.api.fallbacks import is_api
from organizations.origin import is_trusted, read_origin

_PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), clipboard-write=(self)"
_log = structlog.get_logger(__name__)


def request_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives the request its origin and the answer its id; logs one line without the query."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        origin = read_origin(request.META, settings.TRUSTED_PROXIES)
        _believe_proxy(request.META)
        if is_api(request.path):
            request.META.pop("HTTP_COOKIE", None)  # no session, no CSRF cookie: keys only
        request.origin = origin  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=origin.request_id, ip=origin.ip):
            response = get_response(request)
            _log_answer(request, response, started)
        _set_headers(request, response, origin.request_id)
        return response

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


def _believe_proxy(meta: dict[str, Any]) -> None:
    """The scheme that a trusted proxy forwards; nobody else's header counts."""
    address = meta.get("REMOTE_ADDR") or "::"
    scheme = meta.get("HTTP_X_FORWARDED_PROTO", "").split(",")[-1].strip()
    if scheme == "https" and is_trusted(address, settings.TRUSTED_PROXIES):
        meta["wsgi.url_scheme"] = "https"


def _log_answer(request: HttpRequest, response: HttpResponse, started: float) -> None:
    _log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )


def _set_headers(request: HttpRequest, response: HttpResponse, request_id: str) -> None:
    response["X-Request-Id"] = request_id
    response["Permissions-Policy"] = _PERMISSIONS
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    if is_api(request.path):
        response["Cache-Control"] = "no-store"
    # Files say for themselves how long they may be kept; what people see is theirs alone.
    response.headers.setdefault("Cache-Control", "private, no-store")
