"""Bodies and answers in one piece: what Django and the server take from each other."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, cast

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def measured(application: Application, limit: int) -> Application:
    """Gives chunked bodies a length, without which Django takes them for empty.

    At most one byte more than `limit` is read, which is enough for a body to be refused.
    """

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ and not environ.get("CONTENT_LENGTH"):
            # Chunks that bring nothing were cut off; they must not pass for no body at all.
            body = environ["wsgi.input"].read(limit + 1) or b"\n"
            environ.update({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        return _in_one_piece(application(environ, start_response))

    return wrapper


def _in_one_piece(response: Any) -> Iterable[bytes]:
    """What is whole already: granian takes parts one by one, from thread to thread."""
    if getattr(response, "streaming", True):
        return cast("Iterable[bytes]", response)
    try:
        return [response.content]
    finally:
        response.close()
