"""Handles how the server exposes the application: under a path, or on a Unix socket."""

from collections.abc import Iterable
from typing import Any, Final

import structlog

from config.wsgi_body import Application

_REFUSAL: Final = (
    "Latchkey can't be served under a path: the API, cookies and links begin at the root of a host."
    " Give it a host name of its own, and start the server without a path prefix"
    " (--url-path-prefix, SCRIPT_NAME).\n"
)
#: IP address of clients of a Unix socket, which have none. They are on this machine.
_THIS_MACHINE: Final = "127.0.0.1"
_log = structlog.get_logger(__name__)


def mounted(application: Application) -> Application:
    """Rejects a path prefix, and sets the IP address of clients of a Unix socket.

    `TRUSTED_PROXIES` can contain that address, so that a proxy's headers are trusted.
    """

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("SCRIPT_NAME"):
            return _refuse(start_response)
        if not environ.get("REMOTE_ADDR") and environ.get("SERVER_NAME", "")[:1] == "/":
            environ["REMOTE_ADDR"] = _THIS_MACHINE
        return application(environ, start_response)

    return wrapper


def _refuse(start_response: Any) -> list[bytes]:
    _log.error("served_under_path", hint=_REFUSAL.strip())
    body = _REFUSAL.encode()
    headers = [
        ("Cache-Control", "no-store"),
        ("Connection", "close"),  # the body was not read
        ("Content-Length", str(len(body))),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    start_response("500 Internal Server Error", headers)
    return [body]
