"""Sends short 429 responses to callers that keep sending requests after being rejected.

Rejecting a request costs about as much as serving it. A hundred connections that retry without a
pause would take the CPU from everyone else, which thread limits don't prevent.
"""

import json
import math
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, cast

import structlog
from django.conf import settings
from django.http import parse_cookie

from apikeys.api.error_responses import format_of, is_api
from apikeys.api.errors import ApiError
from apikeys.usage.key_request import KeyUse
from apikeys.usage.recorder import recorder
from config.health import CHECKS
from config.logs import ids_of
from config.wsgi_body import Application
from core import ids

#: Rejections of a caller per second and process, after which it gets short responses for the rest
#: of that second and the next one. Only requests that came after the previous rejection was sent
#: count: those that were sent together count once.
MOST: Final = 3
#: This many rejections of a revoked or expired key count as one: they ask no one to wait.
_OTHERS: Final = 7
#: Seconds after which short responses stop.
_WAIT: Final = 2
_MESSAGE: Final = "Too many requests were rejected, and more followed. Try again in {} seconds."
_FORBIDDEN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Refused:
    """A caller's rejections in a second: count, last time, retry time, and last key use."""

    use: KeyUse | None = None
    score: int = 0
    at: float = 0.0
    until: float = 0.0


class _Seconds:
    """The callers that were rejected in this second and the previous one.

    A caller is a number that reveals nothing of its credential outside this process. A count lost
    between threads costs one more rejection.
    """

    def __init__(self) -> None:
        # With seconds in step, all processes would let held-back requests through together.
        self._offset = random.random()  # noqa: S311 # nosec B311 - nothing secret
        self._second = 0
        self._now: dict[int, _Refused] = {}
        self._before: dict[int, _Refused] = {}

    def note(self, caller: int, response: Any, began: float) -> bool:
        """Counts a rejection. Returns whether short responses start now."""
        now = self._look_at_clock()
        refused = self._now.setdefault(caller, _Refused())
        if began < refused.at:
            return False
        is_limit = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        before = refused.score
        refused.score += _OTHERS if is_limit else 1
        refused.use = getattr(response, "key_use", None)
        refused.at = now
        wait = response.headers.get("Retry-After", "")
        refused.until = now + (int(wait) if wait.isdecimal() else _WAIT)
        return before < MOST * _OTHERS <= refused.score

    def find(self, caller: int) -> _Refused | None:
        """The rejections of a caller with too many of them, otherwise None."""
        if not self._now and not self._before:
            return None
        self._look_at_clock()
        for second in (self._now, self._before):
            refused = second.get(caller)
            if refused and refused.score >= MOST * _OTHERS:
                return refused
        return None

    def _look_at_clock(self) -> float:
        now = time.monotonic()
        second = int(now + self._offset)
        if second != self._second:
            self._before = self._now if second == self._second + 1 else {}
            self._second, self._now = second, {}
        return now


def shielded(application: Application) -> Application:
    """Sends short responses to callers with too many rejections. Usage counts them.

    Wraps Django rather than being a middleware: most of the cost is in Django before the first
    middleware.
    """
    seconds = _Seconds()

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        caller = _caller(environ)
        if caller is None:
            return application(environ, start_response)
        refused = seconds.find(caller)
        if refused:
            return _short_response(environ, refused, start_response)
        began = time.monotonic()
        response: Any = application(environ, start_response)
        if _is_refusal(response) and seconds.note(caller, response, began):
            use = getattr(response, "key_use", None)
            known = ids_of(use) if use else {}
            _log.warning("caller_ignores_refusals", path=environ["PATH_INFO"], **known)
        return cast("Iterable[bytes]", response)

    return wrapper


def _is_refusal(response: Any) -> bool:
    """A 429, or a 401 or 403 for a genuine key that is no longer usable."""
    status = getattr(response, "status_code", 0)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    use = getattr(response, "key_use", None)
    return status in _FORBIDDEN and use is not None and not use.usable


def _caller(environ: dict[str, Any]) -> int | None:
    """Identifies the key or session of a request, valid or not. None without one.

    Reads and writes count separately: a change that has to wait must not block checks of its key.
    """
    path = environ["PATH_INFO"]
    called = is_api(path)
    if called:
        credential = environ.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2]
    elif path in CHECKS or path.startswith(settings.STATIC_URL):
        return None
    else:
        cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
        credential = cookies.get(settings.SESSION_COOKIE_NAME, "")
    if not credential:
        return None
    # Seeded per process.
    return hash((called, environ["REQUEST_METHOD"] in _SAFE, credential))


def _short_response(environ: dict[str, Any], refused: _Refused, start_response: Any) -> list[bytes]:
    request_id, use = ids.new_public_id("req"), refused.use
    limit = use.limit if use else None
    wait = max(_WAIT, math.ceil(refused.until - time.monotonic()))
    message = _MESSAGE.format(wait)
    wire = format_of(environ["PATH_INFO"])
    if wire:
        failure = ApiError(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", message)
        body = json.dumps(wire.error_body(failure, request_id)).encode()
        media_type = "application/json"
    else:
        body, media_type = message.encode(), "text/plain; charset=utf-8"
    if use:
        recorder.note(replace(use, refusal="rate_limited"), HTTPStatus.TOO_MANY_REQUESTS)
    headers = [
        ("Cache-Control", "no-store"),
        ("Content-Length", str(len(body))),
        ("Content-Type", media_type),
        ("Retry-After", str(wait)),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Request-Id", request_id),
    ]
    if environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
        headers.append(("Connection", "close"))  # the body was not read
    if limit:
        headers += [("RateLimit-Policy", limit.budgets.policy), ("RateLimit", limit.header)]
    start_response("429 Too Many Requests", headers)
    return [body]
