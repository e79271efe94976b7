"""The envelope format (source: envelope-create-api-key.txt)."""

from typing import Any, Final

from apikeys.api.errors import ApiError
from apikeys.api.formats.base import WireFormat, doc_url

_READ: Final = (
    *("created_at", "created_by", "description", "expires_at", "id", "key_prefix"),
    *("last_used_at", "last_used_ip", "last_used_user_agent", "name", "organization_id"),
    *("revoked_at", "scope", "service_account", "user"),
)
_WITH_SECRET: Final = (*_READ, "key")
_CHANGEABLE: Final = ("name", "description", "expires_at", "scope")


def _success_body(data: Any, request_id: str, message: str = "success") -> dict[str, Any]:
    return {"code": 200, "data": data, "message": message, "requestId": request_id}


def _answer_again(data: Any, request_id: str) -> dict[str, Any]:
    message = "success: answered before, and the key is not shown again"
    return _success_body(data, request_id, message)


def _error(failure: ApiError, request_id: str) -> dict[str, Any]:
    problems = [{"field": p.field, "code": p.code, "message": p.message} for p in failure.problems]
    return {
        "code": failure.status,
        "data": None,
        "message": failure.message,
        "errors": problems or [{"field": None, "code": failure.code, "message": failure.message}],
        "docUrl": doc_url(failure.code),
        "requestId": request_id,
    }


def _answer_schema(data: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "code": {"type": "integer", "const": 200},
            "data": data,
            "message": {"type": "string", "pattern": "^success"},
            "requestId": {"type": "string"},
        },
        "required": ["code", "data", "message", "requestId"],
    }


def _listing_schema(item: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            "nextCursor": {"type": ["string", "null"]},
        },
        "required": ["items", "nextCursor"],
    }


_PROBLEM: Final = {
    "type": "object",
    "properties": {
        "field": {"type": ["string", "null"]},
        "code": {"type": "string"},
        "message": {"type": "string"},
    },
    "required": ["field", "code", "message"],
}
_ERROR: Final = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        # Client generators fail on a type that is only null.
        "data": {"type": ["object", "null"], "const": None, "description": "Always null."},
        "message": {"type": "string"},
        "errors": {"type": "array", "items": _PROBLEM},
        "docUrl": {"type": "string"},
        "requestId": {"type": "string"},
    },
    "required": ["code", "data", "message", "errors", "docUrl", "requestId"],
}
_KEY: Final = {
    "createdAt": "2026-03-24T16:00:00Z",
    "createdBy": "usr_0Xv5ZlJbkzpqU2TdqRgwF2",
    "description": "",
    "expiresAt": None,
    "id": "key_0Xv5ZlJbkzpqU2TdqRgwF1",
    "keyPrefix": "sig_live_a1b2",
    "lastUsedAt": None,
    "lastUsedIp": None,
    "lastUsedUserAgent": None,
    "name": "CI",
    "organizationId": "org_0Xv5ZlJbkzpqU2TdqRgwF3",
    "revokedAt": None,
    "scope": "read",
    "serviceAccountId": None,
    "userId": "usr_0Xv5ZlJbkzpqU2TdqRgwF2",
}
_ISSUED: Final = {**_KEY, "key": "sig_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0"}
ENVELOPE: Final = WireFormat(
    names={
        "created_at": "createdAt",
        "created_by": "createdBy",
        "expires_at": "expiresAt",
        "key_prefix": "keyPrefix",
        "last_used_at": "lastUsedAt",
        "last_used_ip": "lastUsedIp",
        "last_used_user_agent": "lastUsedUserAgent",
        "organization_id": "organizationId",
        "revoked_at": "revokedAt",
        "service_account": "serviceAccountId",
        "user": "userId",
        "scopes": "scope",
        "grace_period": "gracePeriod",
    },
    shows={"read": _READ, "create": _WITH_SECRET, "rotate": _WITH_SECRET},
    takes={
        "create": (*_CHANGEABLE, "service_account"),
        "update": (*_CHANGEABLE, "enabled"),
        "rotate": ("grace_period", "force"),
    },
    requires={"create": ("name",)},
    defaults={"create": {"scope": "read"}},
    examples={"create": {"name": "CI", "scope": "read"}},
    example_responses={
        "read": _KEY,
        "create": _ISSUED,
        "rotate": _ISSUED,
        "revoke": {**_KEY, "revokedAt": "2026-03-25T16:00:00Z"},
    },
    listing=lambda items, next_cursor: {"items": items, "nextCursor": next_cursor},
    listing_schema=_listing_schema,
    success_schema=_answer_schema,
    error_schema=_ERROR,
    created=200,
    success_body=_success_body,
    again=_answer_again,
    error=_error,
)
