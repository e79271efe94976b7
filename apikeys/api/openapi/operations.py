"""The operations of each viewset: summary, parameters, body and error statuses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from apikeys.api.formats.base import WireFormat
from apikeys.api.viewsets import ApiKeyViewSet, TemplateViewSet

#: Error statuses of every operation.
COMMON_ERRORS: Final = frozenset({401, 403, 429, 500, 503})
#: Error statuses of operations with a body, all of which can conflict with existing state.
_BODY_ERRORS: Final = frozenset({400, 409, 413, 415})


@dataclass(frozen=True, slots=True)
class Operation:
    """One action of a viewset.

    action               the viewset's method
    name                 what formats call it
    noun                 what it works on
    query                query parameters; none in a format without pages
    has_body             takes a body
    body_names_objects   404 if an object that the body names doesn't exist
    returns_list         responds with several objects
    has_idempotency_key  takes the header, because it issues a secret
    has_response_body    responds with 204 if False
    """

    action: str
    name: str
    summary: str
    noun: str = "key"
    query: tuple[str, ...] = ()
    has_body: bool = False
    body_names_objects: bool = False
    returns_list: bool = False
    has_idempotency_key: bool = False
    has_response_body: bool = True

    @property
    def title(self) -> str:
        """``RevokeMany`` for ``revoke_many``."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    def error_statuses(self, wire: WireFormat, route: str) -> list[int]:
        """The error statuses at `route`, in ascending order."""
        statuses = set(COMMON_ERRORS)
        if self.has_body:
            statuses |= _BODY_ERRORS
        if self.query or ("<str:id>" in route and wire.impossible_id_is_invalid):
            statuses.add(400)
        if "<str:" in route or self.body_names_objects:
            statuses.add(404)
        if self.has_idempotency_key:
            statuses.add(422)
        return sorted(statuses)


_LIST: Final = Operation("list", "list", "List", returns_list=True)
_CREATE: Final = Operation("create", "create", "Create", has_body=True)
_READ: Final = Operation("retrieve", "read", "Read one")
_UPDATE: Final = Operation("partial_update", "update", "Update", has_body=True)
_REVOKE: Final = Operation("destroy", "revoke", "Revoke permanently")

_KEY_OPERATIONS: Final = (
    replace(_LIST, query=("limit", "cursor", "status", "name")),
    replace(_CREATE, has_idempotency_key=True),
    _READ,
    _UPDATE,
    _REVOKE,
    Operation(
        "revoke_many",
        "revoke_many",
        "Revoke several permanently, all or none",
        has_body=True,
        body_names_objects=True,
        returns_list=True,
    ),
    Operation(
        "rotate", "rotate", "Rotate: issue a new secret", has_body=True, has_idempotency_key=True
    ),
    Operation("usage", "usage", "Count requests", query=("from", "to", "interval")),
    Operation("current", "current", "Read the API key of this request"),
)
_TEMPLATE_OPERATIONS: Final = (
    replace(_LIST, noun="template", query=("pageIndex", "pageSize")),
    replace(_CREATE, noun="template"),
    replace(_READ, noun="template"),
    replace(_UPDATE, noun="template"),
    replace(_REVOKE, summary="Delete", noun="template", has_response_body=False),
)
#: Viewset → action → operation.
OPERATIONS: Final[Mapping[type, Mapping[str, Operation]]] = {
    ApiKeyViewSet: {operation.action: operation for operation in _KEY_OPERATIONS},
    TemplateViewSet: {operation.action: operation for operation in _TEMPLATE_OPERATIONS},
}
