"""Error codes of the API, with their meaning and what to do. Each code is an anchor."""

from dataclasses import dataclass
from typing import Final

#: Status, code, what happened, what to do.
ERRORS: Final[tuple[tuple[int, str, str, str], ...]] = (
    (400, "invalid", "A value is invalid.", "Read the message of the named field."),
    (400, "required", "A required field is missing or empty.", "Send it."),
    (400, "null", "A field is null.", "Send a value, or leave the field out."),
    (400, "invalid_choice", "Unknown value.", "Use one of the allowed values."),
    (400, "unknown_field", "Unknown field or parameter.", "Check the spelling."),
    (
        400,
        "contains_secret",
        "A text contains a full API key.",
        "Remove it and rotate that key; it may have been logged or stored.",
    ),
    (400, "invalid_json", "The body is not JSON.", "Check quotes and commas."),
    (400, "validation_error", "The request is malformed.", "Check the URL and its parameters."),
    (
        401,
        "invalid_api_key",
        "The key is missing or unknown.",
        "Send “Authorization: Bearer” and the full secret, with nothing before or after it.",
    ),
    (401, "key_revoked", "The key was deleted.", "Create another one. This can't be undone."),
    (
        401,
        "key_rotated",
        "This secret was replaced by a rotation.",
        "Use the key's newer secret, which was shown at the rotation.",
    ),
    (401, "key_expired", "The key has expired.", "Create another one."),
    (
        401,
        "key_disabled",
        "The key or its service account is disabled.",
        "An admin can enable it again.",
    ),
    (
        403,
        "api_access_disabled",
        "API access of the organization is off.",
        "Contact support. You don't need new keys.",
    ),
    (
        403,
        "insufficient_scope",
        "The key lacks a scope.",
        "Use a key with the scope that the WWW-Authenticate header names.",
    ),
    (
        403,
        "exceeds_own_expiry",
        "The key would expire later than the key that makes the request.",
        "Choose an earlier expiry.",
    ),
    (
        403,
        "other_service_account",
        "A service account's key can't manage other keys.",
        "Use a key of the organization.",
    ),
    (403, "live_key_required", "Test keys can't do this.", "Use a live key."),
    (403, "forbidden", "Keys can't do this.", "Ask an admin to do it on the settings page."),
    (
        404,
        "not_found",
        "The URL or ID is unknown, or belongs to another organization.",
        "Check the URL.",
    ),
    (
        405,
        "method_not_allowed",
        "The URL doesn't support this method.",
        "Use one from the Allow header.",
    ),
    (409, "name_taken", "Another key or template has this name.", "Choose another name."),
    (
        409,
        "key_limit_reached",
        "The organization is at its key limit.",
        "Revoke an unused key, or contact support for a higher limit.",
    ),
    (
        409,
        "too_many_keys",
        "The request would revoke more keys than allowed.",
        "Revoke fewer at a time, or without “cascade”.",
    ),
    (
        409,
        "rotation_in_progress",
        "An earlier rotation is still in its overlap.",
        "Wait until it is over, or send “force”, which revokes the oldest secret immediately.",
    ),
    (
        409,
        "request_in_progress",
        "A request with the same Idempotency-Key is in progress.",
        "Send it again in a second: you get the same response, without the secret.",
    ),
    (
        422,
        "idempotency_key_reused",
        "The Idempotency-Key was used for a different request.",
        "Use a new value for each new request.",
    ),
    (422, "unprocessable", "The request contradicts an earlier one.", "Read the message."),
    (409, "already_submitted", "A form was submitted twice.", "The first submission succeeded."),
    (409, "changed_meanwhile", "Someone else changed it first.", "Review their version."),
    (409, "last_admin", "An organization needs an admin.", "Make another member an admin first."),
    (
        409,
        "conflict",
        "The current state doesn't allow this.",
        "Read the object again first.",
    ),
    (413, "request_too_large", "The body is larger than 64 KiB.", "Send less."),
    (
        415,
        "unsupported_media_type",
        "The body is not JSON in UTF-8, or it is compressed.",
        "Set Content-Type, and leave out Content-Encoding.",
    ),
    (
        429,
        "rate_limited",
        "The key, its organization, or invalid keys from your IP address made too many requests.",
        "Wait for the seconds in Retry-After.",
    ),
    (
        429,
        "too_many_concurrent",
        "Too many requests of this kind are in progress. Nothing was changed.",
        "Wait for the seconds in Retry-After, and send fewer at a time.",
    ),
    (500, "internal_error", "Internal error.", "Contact support with the request ID."),
    (503, "unavailable", "The service is temporarily unavailable.", "Try again after Retry-After."),
)


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors with related statuses: a section of the page."""

    title: str
    statuses: tuple[int, ...]

    @property
    def anchor(self) -> str:
        """Has a hyphen, which no error code has."""
        return f"status-{self.statuses[0]}"

    @property
    def errors(self) -> list[tuple[int, str, str, str]]:
        return [error for error in ERRORS if error[0] in self.statuses]


#: Each status is in one group.
GROUPS: Final = (
    ErrorGroup("Invalid requests", (400,)),
    ErrorGroup("Rejected keys", (401,)),
    ErrorGroup("Missing permissions", (403,)),
    ErrorGroup("Unknown URLs and methods", (404, 405)),
    ErrorGroup("Conflicts", (409, 422)),
    ErrorGroup("Request bodies", (413, 415)),
    ErrorGroup("Limits", (429,)),
    ErrorGroup("Server errors", (500, 503)),
)
