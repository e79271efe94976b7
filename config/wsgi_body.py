"""WSGI wrapper: sets Content-Length for chunked bodies, and sends responses as one bytes object."""

from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any, Final, cast

from django.conf import settings

from core.exceptions import Busy
from core.request_bodies import REFUSED, receivers
from core.request_context import client_ip

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
#: Characters of a media type with its parameters. Boundaries have at most 70 characters.
_LONGEST_MEDIA_TYPE: Final = 500


def measured(application: Application, limit: int) -> Application:
    """Reads chunked bodies and sets their length. Django treats them as empty without it.

    Reads at most one byte more than `limit`, enough for the body to be rejected.
    """

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH"):
            # Empty chunked bodies were cut off. They must not count as no body.
            body = _received(environ, limit + 1) or b"\n"
            environ.update({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        # Django parses its parameters before any middleware, in quadratic time.
        if len(environ.get("CONTENT_TYPE", "")) > _LONGEST_MEDIA_TYPE:
            environ["CONTENT_TYPE"] = ""
        return _in_one_piece(application(environ, start_response))

    return wrapper


def _received(environ: dict[str, Any], most: int) -> bytes:
    """The body. Empty and marked if too many bodies of this client are being received."""
    try:
        read: Callable[[], bytes] = partial(environ["wsgi.input"].read, most)
        # A new object is unique: requests of unknown clients don't share a limit.
        return receivers.receive(client_ip(environ, settings.TRUSTED_PROXIES) or object(), read)
    except Busy:
        environ[REFUSED] = True
        return b""


def _in_one_piece(response: Any) -> Iterable[bytes]:
    """Joins non-streaming responses: granian passes parts one by one between threads."""
    if getattr(response, "streaming", True):
        return cast("Iterable[bytes]", response)
    try:
        return [response.content]
    finally:
        response.close()
