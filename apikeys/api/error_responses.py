"""JSON errors for requests that reach no viewset: unknown URLs, crashes, rejected hosts."""

import re
from functools import cache

from django.http import HttpRequest, JsonResponse

from apikeys.api.errors import failure_for_status
from apikeys.api.formats import registry
from apikeys.api.formats.base import WireFormat
from apikeys.api.formats.canonical import CANONICAL
from core.request_context import request_context_of


@cache
def formats() -> dict[str, WireFormat]:
    """Root path → format of the errors under it."""
    # Reversed: of several formats under one root, the first wins.
    return {mount.root: mount.wire for mount in reversed(registry.MOUNTS)}


@cache
def _prefixed() -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(formats())})(?:/|\Z)")


def is_api(path: str) -> bool:
    return _prefixed().match(path) is not None


def format_of(path: str) -> WireFormat | None:
    """The format of errors under `path`. None for a page."""
    for root, wire in formats().items():
        if path == root or path.startswith(f"{root}/"):
            return wire
    return None


def error_response(request: HttpRequest, status: int) -> JsonResponse:
    """The error response for a bare status, in the format of the request's path."""
    failure = failure_for_status(status)
    wire = format_of(request.path) or CANONICAL
    body = wire.error_body(failure, request_context_of(request).request_id)
    return JsonResponse(body, status=status, headers=dict(failure.headers))
