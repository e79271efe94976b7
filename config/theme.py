"""Light or dark theme, stored in a cookie that the server reads, so that pages don't flash."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

_THEMES: Final = ("system", "light", "dark")
_YEAR: Final = 365 * 24 * 60 * 60


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor for the layout. Makes no queries."""
    chosen = request.COOKIES.get(_cookie(), "")
    theme = chosen if chosen in _THEMES else "system"
    return {"theme": theme, "site_name": settings.SITE_NAME}


def _cookie() -> str:
    return "__Host-theme" if settings.SESSION_COOKIE_SECURE else "theme"


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Stores the choice for a year and redirects back."""
    theme = request.POST.get("theme", "")
    if theme not in _THEMES:
        return HttpResponseBadRequest("Choose system, light or dark.", content_type="text/plain")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back, status=303)
    response.set_cookie(
        _cookie(),
        theme,
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
