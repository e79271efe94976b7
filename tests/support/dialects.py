"""Differences between the wire formats, for tests that apply to all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body read: whatever a format does not say is None."""

    message: str
    code: str | None = None
    type: str | None = None
    fields: tuple[str, ...] = ()
    request_id: str | None = None

    def names(self, field: str) -> bool:
        """Whether it is about `field` and no other, in its list or at the start of its sentence."""
        return self.fields == (field,) or self.message.startswith(f"{field}: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a format's operations on keys are called and how its answers are read.

    `sends` and `reads` map canonical names to the format's; what is not there is not in the format.
    """

    name: str
    root: str
    keys: Callable[[Organization], str]
    sends: Mapping[str, str]
    reads: Mapping[str, str]
    created: int
    can: frozenset[str]
    id_of: Callable[[Any], str] = lambda thing: str(thing.public_id)
    data: Callable[[Any], Any] = lambda body: body
    items: Callable[[Any], list[Any]]
    next_cursor: Callable[[Any], Any] = lambda body: None
    refusal: Callable[[Any], Refusal]

    def body(self, **canonical: Any) -> dict[str, Any]:
        """A body with those of the fields that the format takes."""
        return {self.sends[name]: value for name, value in canonical.items() if name in self.sends}

    def key(self, body: Any) -> dict[str, Any]:
        """The key of an answer, or of an item of a list, in the canonical names."""
        return {name: body[theirs] for name, theirs in self.reads.items() if theirs in body}

    def __str__(self) -> str:
        return self.name


def _canonical_refusal(body: Any) -> Refusal:
    assert set(body) == {"error", "request_id"}
    error = body["error"]
    assert {"type", "code", "message", "details"} <= set(error)
    fields = tuple(detail["field"] for detail in error["details"])
    return Refusal(error["message"], error["code"], error["type"], fields, body["request_id"])


def _envelope_refusal(body: Any) -> Refusal:
    assert set(body) == {"code", "data", "message", "errors", "docUrl", "requestId"}
    assert body["data"] is None
    assert body["errors"]
    assert all(set(error) == {"field", "code", "message"} for error in body["errors"])
    fields = tuple(error["field"] for error in body["errors"] if error["field"])
    code = body["errors"][0]["code"]
    return Refusal(body["message"], code, None, fields, body["requestId"])


def _workspace_refusal(body: Any) -> Refusal:
    assert set(body) == {"error"}
    assert isinstance(body["error"], str)
    return Refusal(body["error"])


_SAME: Final = {
    name: name
    for name in (
        *("id", "name", "description", "key_prefix", "scopes", "created_by", "key"),
        *("status", "enabled", "metadata", "expires_at", "created_at", "updated_at"),
        *("revoked_at", "service_account", "last_used_at", "last_used_ip"),
    )
}
EVERYTHING: Final = frozenset(
    {"create", "list", "read", "update", "rotate", "revoke", "current", "pages", "usage"}
)
CANONICAL: Final = Dialect(
    name="canonical",
    root="/v1",
    keys=lambda organization: "/v1/api-keys",
    sends={**_SAME, "key_type": "key_type", "grace_period": "grace_period", "force": "force"},
    reads=_SAME,
    created=201,
    can=EVERYTHING | {"revoke_many"},
    items=lambda body: list(body["data"]),
    next_cursor=lambda body: body["pagination"]["cursor"],
    refusal=_canonical_refusal,
)
ENVELOPE: Final = Dialect(
    name="envelope",
    root="/envelope",
    keys=lambda organization: "/envelope/v1/api-keys",
    sends={
        "name": "name",
        "description": "description",
        "expires_at": "expiresAt",
        "service_account": "serviceAccountId",
        "enabled": "enabled",
        "grace_period": "gracePeriod",
        "force": "force",
    },
    reads={
        "id": "id",
        "name": "name",
        "description": "description",
        "key": "key",
        "key_prefix": "keyPrefix",
        "created_by": "createdBy",
        "created_at": "createdAt",
        "expires_at": "expiresAt",
        "revoked_at": "revokedAt",
        "last_used_at": "lastUsedAt",
        "last_used_ip": "lastUsedIp",
        "service_account": "serviceAccountId",
    },
    created=200,
    can=EVERYTHING,
    data=lambda body: body["data"],
    items=lambda body: list(body["data"]["items"]),
    next_cursor=lambda body: body["data"]["nextCursor"],
    refusal=_envelope_refusal,
)
WORKSPACE: Final = Dialect(
    name="workspace",
    root="/api",
    keys=lambda organization: f"/api/v1/workspaces/{organization.id}/api-keys",
    sends={"name": "name"},
    reads={
        name: name
        for name in (
            *("id", "name", "key", "key_prefix", "status"),
            *("created_by", "created_at", "updated_at"),
        )
    },
    created=201,
    can=frozenset({"create", "list", "revoke"}),
    id_of=lambda thing: str(thing.pk),
    items=list,
    refusal=_workspace_refusal,
)
#: Of templates, not of keys; how it frames answers and refuses is all that is said here.
ACCOUNT: Final = Dialect(
    name="account",
    root="/v1/accounts",
    keys=lambda organization: f"/v1/accounts/{organization.public_id}/templates",
    sends={"name": "name", "scopes": "scopes"},
    reads={"id": "id", "name": "name", "scopes": "scopes"},
    created=201,
    can=frozenset(),
    items=lambda body: list(body["items"]),
    refusal=_canonical_refusal,
)
DIALECTS: Final = (CANONICAL, ENVELOPE, WORKSPACE)


def that_can(*operations: str) -> pytest.MarkDecorator:
    """The formats that have the operations."""
    able = [dialect for dialect in DIALECTS if dialect.can.issuperset(operations)]
    return pytest.mark.parametrize("dialect", able, ids=str)


def refusal_of(path: str, body: Any) -> Refusal:
    """An error body read in the format of its address."""
    found = (d for d in DIALECTS if path == d.root or path.startswith(f"{d.root}/"))
    return next(found, CANONICAL).refusal(body)
