"""URLs of pages for use in emails."""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def page_url(name: str, *args: str) -> str:
    """The URL of a page, for emails that no request of a page causes. Empty without `SITE_URL`."""
    return f"{settings.SITE_URL}{reverse(name, args=args)}" if settings.SITE_URL else ""


def site_link(request: HttpRequest, location: str) -> str:
    """The URL of a page under `SITE_URL`. `location` is its path or any absolute URL of it.

    The Host header isn't used: Django checks its name but not its port, so a request could choose
    where the link in another user's email leads. In development `SITE_URL` may be empty; then the
    Host header is used.
    """
    if not settings.SITE_URL:
        return request.build_absolute_uri(location)
    page = urlsplit(location)
    path: str = urlunsplit(("", "", page.path, page.query, page.fragment))
    return settings.SITE_URL + path
