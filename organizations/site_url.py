"""URLs of pages as emails name them."""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest


def site_link(request: HttpRequest, location: str) -> str:
    """The URL of a page under `SITE_URL`; `location` is its path, or any absolute URL of it.

    The Host header doesn't count: Django checks its name and not its port, so a request could
    choose where the link in another user's email leads. Development may leave `SITE_URL` empty;
    then the request decides.
    """
    if not settings.SITE_URL:
        return request.build_absolute_uri(location)
    page = urlsplit(location)
    path: str = urlunsplit(("", "", page.path, page.query, page.fragment))
    return settings.SITE_URL + path
