"""What each error code means and what to do about it; the anchor of each is the code."""

from typing import Final

#: Status, code, what happened, what to do.
ERRORS: Final[tuple[tuple[int, str, str, str], ...]] = (
    (400, "invalid", "A value is not possible.", "Read the message of the field that is named."),
    (400, "required", "A field is missing or empty.", "Send it."),
    (400, "null", "A field is null and may not be.", "Send a value, or leave the field out."),
    (400, "invalid_choice", "A value is none of those that are known.", "Choose one of them."),
    (400, "unknown_field", "There is no such field or parameter.", "Look for a typing mistake."),
    (
        400,
        "contains_secret",
        "A text contains a whole API key.",
        "Take it out, and rotate that key: it has been in places where texts are kept.",
    ),
    (400, "invalid_json", "The body is not JSON.", "Check quotes and commas."),
    (400, "validation_error", "The request is malformed.", "Check the address and its parameters."),
    (
        401,
        "invalid_api_key",
        "No key was sent, or none that exists.",
        "Send “Authorization: Bearer” and the whole secret, with nothing before or after it.",
    ),
    (401, "key_revoked", "The key was deleted.", "Create another one. Nothing brings it back."),
    (
        401,
        "key_rotated",
        "This secret was retired by a rotation.",
        "Use the key’s newer secret. Whoever rotated it has it.",
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
        "Ask your provider. Keys need not be replaced.",
    ),
    (
        403,
        "insufficient_scope",
        "The key lacks a scope.",
        "Use a key that has it. The WWW-Authenticate header names it.",
    ),
    (
        403,
        "exceeds_own_expiry",
        "The other key would outlive the one that asks.",
        "Choose an earlier end.",
    ),
    (
        403,
        "other_service_account",
        "A key of a service account reached for other keys.",
        "Use a key of the organization.",
    ),
    (403, "live_key_required", "A test key cannot do this.", "Use a live key."),
    (403, "forbidden", "A person has to do this.", "Ask an admin to do it on the settings page."),
    (404, "not_found", "There is nothing here, or it is not yours.", "Check the address."),
    (405, "method_not_allowed", "The address lacks this method.", "The Allow header names others."),
    (409, "name_taken", "Another key or template has this name.", "Choose another name."),
    (
        409,
        "rotation_in_progress",
        "An earlier rotation still overlaps.",
        "Wait until it ends, or send “force”, which ends the oldest secret at once.",
    ),
    (409, "already_submitted", "A form was sent twice.", "Its first sending has done it."),
    (409, "changed_meanwhile", "Somebody else changed it first.", "Look at their version."),
    (409, "last_admin", "An organization needs an admin.", "Make somebody else an admin first."),
    (409, "conflict", "The state of things does not allow it.", "Read it again, then decide."),
    (413, "request_too_large", "The body is larger than 64 KiB.", "Send less."),
    (415, "unsupported_media_type", "The body is not JSON in UTF-8.", "Set Content-Type."),
    (
        429,
        "rate_limited",
        "The key has made too many requests, or your address has sent many keys that do not exist.",
        "Wait for as many seconds as Retry-After says.",
    ),
    (500, "internal_error", "A mistake of ours.", "Tell us the request id."),
    (503, "unavailable", "The service is away for a moment.", "Try again after Retry-After."),
)
