"""Callers that go on after refusals: short answers, which take little of others' time.

A refusal costs about as much as an answer. A hundred connections that ask for it again without a
rest would take the processors from everybody else, which no limit of threads prevents.
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

#: Refusals of one caller in one second, in one serving process, after which the rest of that
#: second and the next one bring it short answers. Only requests count that came after the refusal
#: before them was answered: those that were sent together count once.
MOST: Final = 3
#: So many refusals of a key that has ended count as one, since they ask nobody to wait.
_OTHERS: Final = 7
#: Seconds after which short answers have ended.
_WAIT: Final = 2
_MESSAGE: Final = "Too many requests were refused, and more followed. Try again in {} seconds."
_FORBIDDEN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Refused:
    """How much a caller was refused in a second, when last, until when, and the key's last use."""

    use: KeyUse | None = None
    score: int = 0
    at: float = 0.0
    until: float = 0.0


class _Seconds:
    """The callers that were refused in this second and the one before.

    A caller is a number that says nothing of its credential outside this process. A count that is
    lost between threads costs one refusal more.
    """

    def __init__(self) -> None:
        # Processes whose seconds begin together would let all that was held back in at once.
        self._offset = random.random()  # noqa: S311 # nosec B311 - nothing secret
        self._second = 0
        self._now: dict[int, _Refused] = {}
        self._before: dict[int, _Refused] = {}

    def note(self, caller: int, response: Any, began: float) -> bool:
        """Counts a refusal; whether it is the last before short answers."""
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
        """What a caller that was refused too often was refused; None for all others."""
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
    """Answers callers that were just refused too often, before all else; their usage counts it.

    Around Django, not a middleware: what Django does before the first of them is most of what an
    answer here costs.
    """
    seconds = _Seconds()

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        caller = _caller(environ)
        if caller is None:
            return application(environ, start_response)
        refused = seconds.find(caller)
        if refused:
            return _short_answer(environ, refused, start_response)
        began = time.monotonic()
        response: Any = application(environ, start_response)
        if _is_refusal(response) and seconds.note(caller, response, began):
            use = getattr(response, "key_use", None)
            known = ids_of(use) if use else {}
            _log.warning("caller_ignores_refusals", path=environ["PATH_INFO"], **known)
        return cast("Iterable[bytes]", response)

    return wrapper


def _is_refusal(response: Any) -> bool:
    """429, or any of a genuine key that opens nothing any more; one that does may ask on."""
    status = getattr(response, "status_code", 0)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    use = getattr(response, "key_use", None)
    return status in _FORBIDDEN and use is not None and not use.usable


def _caller(environ: dict[str, Any]) -> int | None:
    """The key or the session of a request, which need not exist; None without one.

    Reads and writes are two callers: a change that has to wait must not hold up checks of its key.
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
    # With a seed that only this process has.
    return hash((called, environ["REQUEST_METHOD"] in _SAFE, credential))


def _short_answer(environ: dict[str, Any], refused: _Refused, start_response: Any) -> list[bytes]:
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
