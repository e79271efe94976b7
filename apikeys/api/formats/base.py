"""What a wire format is: the differences between formats, as data."""

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


#: What answers show that are no key and no template.
_SHOWN: Final[Names] = {
    "usage": ("interval", "start", "end", "requests", "results", "intervals"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFormat:
    """One format; whatever is not said is as in the canonical one.

    names       canonical field name → the format's
    shows       operation → canonical names of what its answer shows, in order; ``read`` for others
    takes       operation → canonical names of what its body may hold
    requires    operation → those of them that it has to hold
    defaults    operation → the format's own fields that count as sent where they are not
    id_of       prefix and UUID → an id as text
    listing     the items of a page and the cursor of the next → the body of a list
    several     the items of a list that is whole → its body
    has_pages   whether a list takes a limit, a cursor and filters, or shows everything
    created     the status of a create
    examples    operation → a body of the source document
    answers     operation → what an answer of the source document shows; the schema's example
    answer      data and request id → the whole body
    again       the same for a call that was answered before, where the body says so
    error       failure and request id → the whole body
    …_schema    the same shapes in JSON Schema, from the schema of what they hold
    organization_in       the part of the address that names the organization, if one does
    organization_header   a header that may repeat it
    impossible_id_is_invalid   400 instead of 404 for a key id that cannot be one
    """

    names: Mapping[str, str] = field(default_factory=dict)
    shows: Names = field(default_factory=dict)
    takes: Names = field(default_factory=dict)
    requires: Names = field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    id_of: Callable[[str, UUID], str] = ids.public_id
    listing: Callable[[list[Any], str | None], Any] = _items
    several: Callable[[list[Any]], Any] = list
    has_pages: bool = True
    created: int = 201
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answer: Callable[[Any, str], Any] = lambda data, request_id: data
    again: Callable[[Any, str], Any] | None = None
    error: Callable[[ApiError, str], dict[str, Any]] = lambda failure, request_id: {}
    listing_schema: Callable[[Any], Any] = lambda item: {"type": "array", "items": item}
    several_schema: Callable[[Any], Any] = lambda item: {"type": "array", "items": item}
    answer_schema: Callable[[Any], Any] = lambda data: data
    error_schema: Mapping[str, Any] = field(default_factory=dict)
    organization_in: str = ""
    organization_header: str = ""
    impossible_id_is_invalid: bool = False

    def name(self, path: str) -> str:
        """The format's spelling of a dotted path; only its first, declared, part is renamed."""
        head, dot, rest = path.partition(".")
        return self.names.get(head, head) + dot + rest

    def shown(self, operation: str) -> tuple[str, ...]:
        """Canonical names of what an operation's answer shows."""
        return self.shows.get(operation) or _SHOWN.get(operation) or self.shows["read"]

    def answer_again(self, data: Any, request_id: str) -> Any:
        """The body of an answer that repeats an earlier one, without its secret."""
        return (self.again or self.answer)(data, request_id)

    def error_body(self, failure: ApiError, request_id: str) -> dict[str, Any]:
        """The body of an error answer; never repeats a secret or an unencodable character."""
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
    """Where the guide says what a code means and what to do about it."""
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
