"""Bodies and answers in one piece: what Django and the server take from each other."""

from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from typing import Any, Final, cast

from django.conf import settings

from core.exceptions import Busy
from core.request_bodies import REFUSED, receivers
from core.request_context import client_ip

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
#: Of a media type with its parameters; boundaries have at most 70 characters.
_LONGEST_MEDIA_TYPE: Final = 500


def measured(application: Application, limit: int) -> Application:
    """Gives chunked bodies a length, without which Django takes them for empty.

    At most one byte more than `limit` is read, which is enough for a body to be refused.
    """

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH"):
            # Chunks that bring nothing were cut off; they must not pass for no body at all.
            body = _received(environ, limit + 1) or b"\n"
            environ.update({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        # Django reads its parameters before any middleware, in time that grows with their square.
        if len(environ.get("CONTENT_TYPE", "")) > _LONGEST_MEDIA_TYPE:
            environ["CONTENT_TYPE"] = ""
        return _in_one_piece(application(environ, start_response))

    return wrapper


def _received(environ: dict[str, Any], most: int) -> bytes:
    """The chunks; nothing, and a mark, where too many others of the address are received."""
    try:
        read: Callable[[], bytes] = partial(environ["wsgi.input"].read, most)
        # An object equals nothing else: requests of unknown clients don't share a limit.
        return receivers.receive(client_ip(environ, settings.TRUSTED_PROXIES) or object(), read)
    except Busy:
        environ[REFUSED] = True
        return b""


def _in_one_piece(response: Any) -> Iterable[bytes]:
    """What is whole already: granian takes parts one by one, from thread to thread."""
    if getattr(response, "streaming", True):
        return cast("Iterable[bytes]", response)
    try:
        return [response.content]
    finally:
        response.close()
