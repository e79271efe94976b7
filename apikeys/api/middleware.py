"""Counts usage and sets rate-limit and security headers after the view of an API request."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apikeys.usage.key_request import KeyUse
from apikeys.usage.recorder import recorder
from core import response_headers

_HEADERS: Final = response_headers.prepared(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)


def count_usage(use: KeyUse, response: HttpResponse) -> None:
    """Counts the request and sets rate-limit headers (IETF draft on RateLimit header fields)."""
    recorder.note(use, response.status_code)
    response.key_use = use  # type: ignore[attr-defined]  # for config.wsgi_shield
    limit = use.limit
    if limit:
        response_headers.set_header(response, "RateLimit-Policy", limit.budgets.policy)
        response_headers.set_header(response, "RateLimit", limit.header)


def set_api_headers(request: HttpRequest, response: HttpResponse) -> None:
    """Sets the headers that pages get from middleware that API requests skip."""
    response_headers.set_headers(response, _HEADERS)
    if not response.streaming and "Content-Length" not in response.headers:
        response_headers.set_header(response, "Content-Length", str(len(response.content)))
    if settings.SECURE_HSTS_SECONDS and request.is_secure():
        response.headers["Strict-Transport-Security"] = _strict_transport()


def _strict_transport() -> str:
    """The value that Django's SecurityMiddleware sends with pages."""
    value = f"max-age={settings.SECURE_HSTS_SECONDS}"
    if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS:
        value += "; includeSubDomains"
    if settings.SECURE_HSTS_PRELOAD:
        value += "; preload"
    return value
