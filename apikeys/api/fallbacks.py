"""JSON answers for what never reaches a viewset: unknown addresses, crashes, refused hosts."""

from typing import Final

from django.http import HttpRequest, JsonResponse

from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.wire import failure_for_status
from organizations.origin import origin_of

PREFIXES: Final = ("/v1", "/api", "/envelope")


def is_api(path: str) -> bool:
    """Whether `path` belongs to the API and not to the pages."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in PREFIXES)


def answer_status(request: HttpRequest, status: int) -> JsonResponse:
    """The error answer of a status by itself."""
    failure = failure_for_status(status)
    body = CANONICAL.error_body(failure, origin_of(request).request_id)
    return JsonResponse(body, status=status, headers=dict(failure.headers))
