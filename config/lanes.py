"""Two ways in: pages pass every middleware, calls of the API only the first few.

`api_exit` stands last in `MIDDLEWARE` and is handed the view; `fork` stands where the ways part.
Django builds the chain from its end, in one thread, so the one leaves the view for the other.
"""

import threading
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from apikeys.api.fallbacks import is_api

Handler = Callable[[HttpRequest], HttpResponse]
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
            request.get_host()  # an unknown one is refused, as CommonMiddleware does for pages
            return end(request)
        return get_response(request)

    return middleware
