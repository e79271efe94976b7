"""The WSGI application: `granian --interface wsgi config.wsgi:application`."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import env, patience
from config.logs import redact_crashes

redact_crashes()
env.load()

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
        return application(environ, start_response)

    return wrapper


# What is no request's, such as writing usage, waits as long, but each time anew.
patience.limit_each_wait(settings.DATABASE_PATIENCE)
application = measured(get_wsgi_application(), limit=2_500_000)
