"""The responses of an operation: status, headers, schema and example."""

from collections.abc import Mapping
from typing import Any, Final

from apikeys.api.errors import ERROR_TYPES, ApiError
from apikeys.api.formats.base import WireFormat
from apikeys.api.openapi.field_schemas import RESPONSE_FIELDS, object_schema
from apikeys.api.openapi.operations import Operation
from apikeys.api.viewsets.idempotency import REPLAYED


def _header(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "description": description}


_HEADERS: Final = {
    "X-Request-Id": _header("ID of the request."),
    "Cache-Control": _header("Always no-store."),
    "RateLimit-Policy": _header(
        'The rate limits: "tier";q=requests;w=seconds for the key, then, after a comma, the same'
        ' for "organization". Not sent without a valid key.'
    ),
    "RateLimit": _header(
        'What is left: "tier";r=requests;t=seconds until the window ends for the key, then, after a'
        ' comma, the same for "organization". Not sent without a valid key.'
    ),
}
#: Status → its additional header.
_STATUS_HEADERS: Final = {
    201: "Location",
    401: "WWW-Authenticate",
    429: "Retry-After",
    503: "Retry-After",
}
_IN_PROGRESS: Final = _header("Only while a request with the same Idempotency-Key is in progress.")
_REPLAYED: Final = {
    "schema": {"type": "string", "const": "true"},
    "description": "Only in the response to a repeated request, without secret.",
}
#: Status → what it means; also the message of the example.
_ERRORS: Final[Mapping[int, str]] = {
    400: "The request is malformed, or a field or parameter is invalid.",
    401: "The API key is missing or invalid.",
    403: "The API key lacks a scope, or API access is turned off.",
    404: "It doesn't exist or belongs to another organization.",
    409: "The name is taken, a limit is reached, or the key's status doesn't allow this.",
    413: "The body is larger than 64 KiB.",
    415: "The body is not UTF-8 JSON.",
    422: "The Idempotency-Key was used with a different request.",
    429: "A rate limit is reached, or too many requests of this kind are in progress.",
    500: "Internal server error.",
    503: "Service unavailable.",
}
#: The most frequent code of a status that has several.
_CODES: Final = {
    401: "invalid_api_key",
    403: "insufficient_scope",
    409: "name_taken",
    422: "idempotency_key_reused",
}
_EXAMPLE_REQUEST_ID: Final = "req_wP2gH8iJ"
_COUNTS: Final = {"requests": 14, "results": {"ok": 12, "rate_limited": 2}}
#: Examples that are the same in every format.
_EXAMPLES: Final = {
    "usage": {
        "interval": "hour",
        "start": "2026-04-09T18:00:00Z",
        "end": "2026-04-09T19:00:00Z",
        **_COUNTS,
        "intervals": [{"start": "2026-04-09T18:00:00Z", **_COUNTS}],
    }
}


def responses(operation: Operation, wire: WireFormat, route: str) -> dict[str, Any]:
    """Status → response: success first, then errors in ascending order."""
    found = _success(operation, wire)
    for status in operation.error_statuses(wire, route):
        found[str(status)] = _error(wire, status)
    if operation.has_idempotency_key:
        found["409"]["headers"]["Retry-After"] = _IN_PROGRESS
    return found


def _success(operation: Operation, wire: WireFormat) -> dict[str, Any]:
    if not operation.has_response_body:
        return {"204": {"description": "Deleted.", "headers": _headers(204)}}
    status = wire.created if operation.name == "create" else 200
    schema = _success_schema(operation, wire)
    response = _response(status, "Success.", schema, _success_example(operation.name, wire))
    if operation.has_idempotency_key:
        response["headers"][REPLAYED] = _REPLAYED
    return {str(status): response}


def _success_schema(operation: Operation, wire: WireFormat) -> dict[str, Any]:
    names = required = wire.shown(operation.name)
    if operation.has_idempotency_key:
        replayed = wire.shown("again")
        required = tuple(name for name in names if name in replayed)
        names = (*names, *(name for name in replayed if name not in names))
    schema = object_schema(wire, names, RESPONSE_FIELDS, required)
    noun = operation.noun.capitalize()
    if operation.name == "list":
        schema = wire.listing_schema({**schema, "title": noun})
    elif operation.returns_list:
        # Client generators need a different name for each item.
        schema = wire.several_schema({**schema, "title": f"Revoked{noun}"})
    return {**wire.success_schema(schema), "title": f"{operation.title}{noun}Answer"}


def _success_example(name: str, wire: WireFormat) -> Any:
    data: Any = (
        wire.example_responses.get(name) or _EXAMPLES.get(name) or wire.example_responses["read"]
    )
    if name == "list" and "list" not in wire.example_responses:
        data = wire.listing([data], None)
    return wire.success_body(data, _EXAMPLE_REQUEST_ID)


def _error(wire: WireFormat, status: int) -> dict[str, Any]:
    error = ApiError(status, _CODES.get(status, ERROR_TYPES[status]), _ERRORS[status])
    schema = {"$ref": "#/components/schemas/Error"}
    example = wire.error_body(error, _EXAMPLE_REQUEST_ID)
    return _response(status, _ERRORS[status], schema, example)


def _response(status: int, description: str, schema: Any, example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"description": description, "headers": _headers(status), "content": content}


def _headers(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = dict(_HEADERS)
    if status in _STATUS_HEADERS:
        headers[_STATUS_HEADERS[status]] = {"schema": {"type": "string"}}
    return headers
