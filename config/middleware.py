"""What every request gets before all else: an id, an origin, a log line, its headers."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from apikeys.api.authentication import use_of
from apikeys.api.fallbacks import is_api
from apikeys.ledger import ledger
from apikeys.uses import KeyUse
from config import headers, patience
from config.health import CHECKS
from organizations.origin import Entered, is_trusted, read_origin

_PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), clipboard-write=(self)"
_API_HEADERS: Final = headers.prepared(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)
_log = structlog.get_logger(__name__)


def request_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives the request its origin and the answer its id; logs one line without the query."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        origin = read_origin(request.META, settings.TRUSTED_PROXIES)
        _believe_proxy(request.META)
        if "HTTP_USER_AGENT" in request.META:
            # Whoever keeps it from here on, such as the list of sessions, keeps no key with it.
            request.META["HTTP_USER_AGENT"] = origin.user_agent
        called = is_api(request.path)
        if called:
            request.META.pop("HTTP_COOKIE", None)  # no session, no CSRF cookie: keys only
        request.origin = origin  # type: ignore[attr-defined]
        with Entered(origin), patience.Budget(settings.DATABASE_PATIENCE):
            response = get_response(request)
            if not called or _is_worth_a_line(request, response):
                _log_answer(request, response, started)
        headers.put_one(response, "X-Request-Id", origin.request_id)
        use = use_of(request)
        if use:
            _settle(use, response)
        if called or request.path in CHECKS:
            _set_api_headers(request, response)
        else:
            _set_page_headers(response)
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
    scheme = meta.get("HTTP_X_FORWARDED_PROTO")
    if scheme is None:
        return
    address = meta.get("REMOTE_ADDR") or "::"
    if scheme.split(",")[-1].strip() == "https" and is_trusted(address, settings.TRUSTED_PROXIES):
        meta["wsgi.url_scheme"] = "https"


def _log_answer(request: HttpRequest, response: HttpResponse, started: float) -> None:
    _log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )


def _settle(use: KeyUse, response: HttpResponse) -> None:
    """Counts the request, and says where its limit stands (the IETF draft on RateLimit fields)."""
    ledger.note(use, response.status_code)
    limit = use.limit
    if limit:
        headers.put_one(response, "RateLimit-Policy", limit.tier.policy)
        standing = f'"{limit.tier.name}";r={limit.remaining};t={limit.resets}'
        headers.put_one(response, "RateLimit", standing)


def _is_worth_a_line(request: HttpRequest, response: HttpResponse) -> bool:
    """Calls that went well and changed nothing are in the usage; a line would cost more."""
    quiet = response.status_code < 400 and request.method in ("GET", "HEAD")
    return not quiet or settings.API_ACCESS_LOG


def _set_api_headers(request: HttpRequest, response: HttpResponse) -> None:
    """What the middleware of pages would set, for an answer that is no page."""
    headers.put(response, _API_HEADERS)
    if not response.streaming and "Content-Length" not in response.headers:
        headers.put_one(response, "Content-Length", str(len(response.content)))
    if settings.SECURE_HSTS_SECONDS and request.is_secure():
        response.headers["Strict-Transport-Security"] = _strict_transport()


def _strict_transport() -> str:
    """As Django's SecurityMiddleware says it to pages."""
    return "; ".join(
        (
            f"max-age={settings.SECURE_HSTS_SECONDS}",
            *(["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []),
            *(["preload"] if settings.SECURE_HSTS_PRELOAD else []),
        )
    )


def _set_page_headers(response: HttpResponse) -> None:
    response["Permissions-Policy"] = _PERMISSIONS
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # Files say for themselves how long they may be kept; what people see is theirs alone.
    response.headers.setdefault("Cache-Control", "private, no-store")
