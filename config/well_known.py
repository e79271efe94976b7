"""Files that browsers, crawlers and researchers look for at fixed paths."""

from datetime import timedelta
from functools import cache
from http import HTTPMethod
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_http_methods

from config.env import ROOT
from core.timestamps import rfc3339

#: Only the guide is for search engines. Static files are needed to render it.
_ROBOTS: Final = "User-agent: *\nAllow: /docs/\nAllow: /static/\nDisallow: /\n"
#: RFC 9116 recommends less than a year.
_VALID: Final = timedelta(days=180)
_DAY: Final = 24 * 60 * 60
_reads: Final = require_http_methods([HTTPMethod.GET, HTTPMethod.HEAD])


@_reads
def favicon(request: HttpRequest) -> HttpResponse:
    """For programs that don't read the page's own link to its icon."""
    return _cached(_icon(), "image/x-icon")


@cache
def _icon() -> bytes:
    return (ROOT / "static" / "favicon.ico").read_bytes()


@_reads
def robots(request: HttpRequest) -> HttpResponse:
    """Which pages search engines may read."""
    return _cached(_ROBOTS)


@_reads
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report vulnerabilities (RFC 9116). Not found without `SECURITY_CONTACT`."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    midnight = timezone.now().replace(hour=0, minute=0, second=0)
    lines = [
        *(f"Contact: {contact}" for contact in settings.SECURITY_CONTACT),
        f"Expires: {rfc3339(midnight + _VALID)}",
        "Preferred-Languages: en",
    ]
    if settings.SITE_URL:
        lines.append(f"Canonical: {settings.SITE_URL}{request.path}")
    return _cached("\n".join(lines) + "\n")


@_reads
def change_password(request: HttpRequest) -> HttpResponse:
    """For password managers (a W3C draft)."""
    return HttpResponseRedirect(reverse("account_change_password"))


def _cached(content: str | bytes, kind: str = "text/plain; charset=utf-8") -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    patch_cache_control(response, public=True, max_age=_DAY)
    return response


urlpatterns = [
    path("favicon.ico", favicon, name="favicon"),
    path("robots.txt", robots, name="robots"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path(".well-known/change-password", change_password, name="change_password"),
]
