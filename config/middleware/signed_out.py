"""Tells the sign-in page that it is shown because a session has ended."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

_FOUND: Final = 302


def say_signed_out(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Adds `signed_out` to redirects to the sign-in page: “form” if a form was not saved.

    In the URL rather than a message, which would create a session for each request with a cookie.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == _FOUND and _is_over(request):
            to_sign_in = f"{resolve_url(settings.LOGIN_URL)}?"
            if response.headers["Location"].startswith(to_sign_in):
                what = "form" if request.method == "POST" else "page"
                response.headers["Location"] += f"&signed_out={what}"
        return response

    return middleware


def _is_over(request: HttpRequest) -> bool:
    """Whether the browser sent a session that no longer exists on the server."""
    had_one = bool(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return had_one and not request.user.is_authenticated and request.session.session_key is None
