"""Two ways in: pages pass every middleware, calls of the API only the first few.

`api_exit` stands last in `MIDDLEWARE` and is handed the view; `fork` stands where the ways part.
Django builds the chain from its end, in one thread, so the one leaves the view for the other.
"""

import threading
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from apikeys.api.error_responses import is_api

Handler = Callable[[HttpRequest], HttpResponse]
#: Hosts that are remembered, with `ALLOWED_HOSTS` as it was; no real one is longer.
_MANY: Final = 1_000
_LONGEST_HOST: Final = 300
_known: "Final[dict[str | None, object]]" = {}
_being_built: Final = threading.local()


def api_exit(get_response: Handler) -> Handler:
    """Adds nothing to the chain; remembers where it ends."""
    _being_built.end = get_response
    return get_response


def fork(get_response: Handler) -> Handler:
    """Sends calls of the API past every middleware between here and `api_exit`.

    They have no session, no form and no page: nothing there would do anything for them.
    """
    end: Handler = _being_built.end

    def middleware(request: HttpRequest) -> HttpResponse:
        if is_api(request.path):
            _refuse_unknown_host(request)
            return end(request)
        return get_response(request)

    return middleware


def _refuse_unknown_host(request: HttpRequest) -> None:
    """As CommonMiddleware does for pages. Callers send the same few again and again.

    Remembering them saves 4 to 14 % of a hot request's CPU (docs/adr/0020).
    """
    host = request.META.get("HTTP_HOST")
    if _known.get(host) is not settings.ALLOWED_HOSTS:
        if len(request.get_host()) > _LONGEST_HOST:
            raise DisallowedHost
        if len(_known) >= _MANY:
            _known.clear()
        _known[host] = settings.ALLOWED_HOSTS
