"""What is said of an operation beside its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apikeys.api.formats.base import WireFormat

#: Statuses that every operation may answer with.
ALWAYS: Final = (401, 403, 429, 500, 503)
#: What a body may be refused for, before and after it is read.
WITH_BODY: Final = (400, 413, 415)
CAUSES: Final[Mapping[int, str]] = {
    400: "The request cannot be read, or a field or parameter does not hold what it has to.",
    401: "No valid API key was sent.",
    403: "The key lacks a scope, or API access is off.",
    404: "There is no such thing, or it belongs to somebody else.",
    409: "The name is taken, a limit is reached, or the state of the key does not allow it.",
    413: "The body is larger than 64 KiB.",
    415: "The body is no JSON in UTF-8.",
    422: "The Idempotency-Key was sent with another request before.",
    429: "A rate limit is reached, or too many requests of this kind are in progress.",
    500: "A mistake of ours.",
    503: "The database is away.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """`action` is the viewset's method, `name` what formats call it; `body` if it takes one.

    `many` if it answers with a list; `finds` if its body names things that have to exist.
    """

    action: str
    name: str
    summary: str
    body: bool = False
    conflicts: bool = False
    many: bool = False
    finds: bool = False

    def is_repeatable(self, noun: str) -> bool:
        """Whether it takes an `Idempotency-Key`: what makes a secret does."""
        return noun == "key" and self.name in ("create", "rotate")


OPERATIONS: Final = {
    operation.action: operation
    for operation in (
        Operation("list", "list", "List", many=True),
        Operation("create", "create", "Create", body=True, conflicts=True),
        Operation("retrieve", "read", "Read one"),
        Operation("partial_update", "update", "Change", body=True, conflicts=True),
        Operation("destroy", "revoke", "Revoke for good"),
        Operation(
            "revoke_many",
            "revoke_many",
            "Revoke several for good, all or none",
            body=True,
            conflicts=True,
            many=True,
            finds=True,
        ),
        Operation("rotate", "rotate", "Rotate: issue a new secret", body=True, conflicts=True),
        Operation("usage", "usage", "Count requests"),
        Operation("current", "current", "Read the key that asks"),
    )
}


def failures(operation: Operation, wire: WireFormat, route: str, noun: str) -> list[int]:
    """The statuses other than success that an operation answers with."""
    found = {*ALWAYS}
    if operation.body:
        found |= {*WITH_BODY}
    asks = operation.name in ("list", "usage")
    if asks or ("<str:id>" in route and wire.impossible_id_is_invalid):
        found.add(400)
    if "<str:" in route or wire.organization_in or operation.finds:
        found.add(404)
    if operation.conflicts:
        found.add(409)
    if operation.is_repeatable(noun):
        found.add(422)
    return sorted(found)
