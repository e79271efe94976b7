"""JSON answers for what never reaches a viewset: unknown addresses, crashes, refused hosts."""

import re
from typing import Final

from django.http import HttpRequest, JsonResponse

from apikeys.api.failures import failure_for_status
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.formats.envelope import ENVELOPE
from apikeys.api.formats.workspace import WORKSPACE
from apikeys.api.wire import WireFormat
from organizations.origin import origin_of

#: The format of whatever lies under a prefix and reaches no viewset.
FORMATS: Final = {"/v1": CANONICAL, "/envelope": ENVELOPE, "/api": WORKSPACE}


_PREFIXED: Final = re.compile(rf"(?:{'|'.join(FORMATS)})(?:/|\Z)")


def is_api(path: str) -> bool:
    """Whether `path` belongs to the API and not to the pages."""
    return _PREFIXED.match(path) is not None


def _format_of(path: str) -> WireFormat | None:
    found = (w for p, w in FORMATS.items() if path == p or path.startswith(f"{p}/"))
    return next(found, None)


def answer_status(request: HttpRequest, status: int) -> JsonResponse:
    """The error answer of a status by itself."""
    failure = failure_for_status(status)
    wire = _format_of(request.path) or CANONICAL
    body = wire.error_body(failure, origin_of(request).request_id)
    return JsonResponse(body, status=status, headers=dict(failure.headers))
