"""Describes a wire format as data: names, fields, shapes and statuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from apikeys.api.errors import ApiError
from core import ids
from core.exceptions import Problem
from core.redaction import redact

Names = Mapping[str, tuple[str, ...]]


def _items(items: list[Any], next_cursor: str | None) -> Any:
    return items


#: Fields of responses that show neither keys nor templates, in every format.
_SHOWN: Final[Names] = {
    "usage": ("interval", "start", "end", "requests", "results", "intervals"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFormat:
    """One wire format. Field names are canonical unless stated otherwise."""

    #: Canonical name → the format's name, if different.
    names: Mapping[str, str] = field(default_factory=dict)
    #: Operation → fields of its response, in order. Other operations show those of ``read``.
    shows: Names = field(default_factory=dict)
    #: Operation → fields that its body may have.
    takes: Names = field(default_factory=dict)
    #: Operation → fields that its body must have.
    requires: Names = field(default_factory=dict)
    #: Operation → defaults of omitted fields, under the format's names.
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Prefix and UUID → ID as text.
    id_of: Callable[[str, UUID], str] = ids.public_id
    #: Items of a page and the next cursor → body of a list.
    listing: Callable[[list[Any], str | None], Any] = _items
    #: Items of a complete list → its body.
    several: Callable[[list[Any]], Any] = list
    #: Whether lists have a limit, a cursor and filters. Otherwise they show everything.
    has_pages: bool = True
    #: Status of a successful create.
    created: int = 201
    #: Operation → request body from the source document.
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Operation → response data from the source document, the example in the schema.
    example_responses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Data and request ID → response body.
    success_body: Callable[[Any, str], Any] = lambda data, request_id: data
    #: Data and request ID → body of a repeated response, if different.
    again: Callable[[Any, str], Any] | None = None
    #: Error and request ID → response body.
    error: Callable[[ApiError, str], dict[str, Any]] = lambda failure, request_id: {}
    #: Each `…_schema` is the JSON Schema of that shape, made from the schema of its content.
    listing_schema: Callable[[Any], Any] = lambda item: {"type": "array", "items": item}
    several_schema: Callable[[Any], Any] = lambda item: {"type": "array", "items": item}
    success_schema: Callable[[Any], Any] = lambda data: data
    error_schema: Mapping[str, Any] = field(default_factory=dict)
    #: URL parameter that names the organization, if any.
    organization_in: str = ""
    #: Header that may repeat it, if any.
    organization_header: str = ""
    #: Whether a malformed key ID is a 400 instead of a 404.
    impossible_id_is_invalid: bool = False

    def name(self, path: str) -> str:
        """The format's name of a field or a dotted path. Only the first part is renamed."""
        head, dot, rest = path.partition(".")
        return self.names.get(head, head) + dot + rest

    def shown(self, operation: str) -> tuple[str, ...]:
        """The fields of an operation's response."""
        return self.shows.get(operation) or _SHOWN.get(operation) or self.shows["read"]

    def answer_again(self, data: Any, request_id: str) -> Any:
        """The body of a repeated response, without the secret."""
        return (self.again or self.success_body)(data, request_id)

    def error_body(self, failure: ApiError, request_id: str) -> dict[str, Any]:
        """The body of an error response. Redacts secrets and replaces unencodable characters."""
        problems = [
            Problem(
                _safe(p.field if failure.named_as_sent else self.name(p.field)),
                p.code,
                _safe(p.message),
            )
            for p in failure.problems
        ]
        safe = replace(failure, message=_safe(failure.message), problems=tuple(problems))
        return self.error(safe, request_id)


def doc_url(code: str) -> str:
    """The URL in the guide that explains an error code."""
    return f"{settings.API_BASE_URL}/docs/errors/#{code}"


def canonical_error(failure: ApiError, request_id: str) -> dict[str, Any]:
    """The error body of the formats under ``/v1``."""
    details = [{"field": p.field, "code": p.code, "message": p.message} for p in failure.problems]
    return {
        "error": {
            "type": failure.type,
            "code": failure.code,
            "message": failure.message,
            "details": details,
            "doc_url": doc_url(failure.code),
        },
        "request_id": request_id,
    }


_DETAIL: Final = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
    "required": ["field", "code", "message"],
}
CANONICAL_ERROR: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                **{name: {"type": "string"} for name in ("type", "code", "message")},
                "details": {"type": "array", "items": _DETAIL},
                "doc_url": {"type": "string"},
            },
            "required": ["type", "code", "message", "details", "doc_url"],
        },
        "request_id": {"type": "string"},
    },
    "required": ["error", "request_id"],
}


def _safe(text: str) -> str:
    return redact(text.encode("utf-8", "replace").decode())
