"""Examples of answers, framed as the format frames them."""

from typing import Any, Final

from apikeys.api.errors import ERROR_TYPES, ApiError
from apikeys.api.formats.base import WireFormat
from apikeys.api.openapi.operations import CAUSES

_REQUEST_ID: Final = "req_wP2gH8iJ"
#: The most frequent cause of a status that has several codes.
_CODES: Final = {
    401: "invalid_api_key",
    403: "insufficient_scope",
    409: "name_taken",
    422: "idempotency_key_reused",
}
#: Answers that are the same in every format.
_ANSWERS: Final = {
    "usage": {
        "interval": "hour",
        "start": "2026-04-09T18:00:00Z",
        "end": "2026-04-09T19:00:00Z",
        "requests": 14,
        "results": {"ok": 12, "rate_limited": 2},
        "intervals": [
            {
                "start": "2026-04-09T18:00:00Z",
                "requests": 14,
                "results": {"ok": 12, "rate_limited": 2},
            }
        ],
    }
}


def success(wire: WireFormat, operation: str) -> Any:
    """An answer to an operation that went well."""
    data = wire.answers.get(operation) or _ANSWERS.get(operation) or wire.answers["read"]
    if operation == "list" and "list" not in wire.answers:
        data = wire.listing([data], None)
    return wire.answer(data, _REQUEST_ID)


def failure(wire: WireFormat, status: int) -> Any:
    """An answer with an error."""
    code = _CODES.get(status, ERROR_TYPES[status])
    return wire.error_body(ApiError(status, code, CAUSES[status]), _REQUEST_ID)
