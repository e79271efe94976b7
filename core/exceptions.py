"""Domain errors and their codes. They know nothing of HTTP; each interface translates them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ErrorCode(StrEnum):
    """Machine-readable error codes, the same in every interface and format."""

    INVALID = "invalid"
    REQUIRED = "required"
    UNKNOWN_FIELD = "unknown_field"
    CONTAINS_SECRET = "contains_secret"
    FORBIDDEN = "forbidden"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    LIVE_KEY_REQUIRED = "live_key_required"
    OTHER_SERVICE_ACCOUNT = "other_service_account"
    EXCEEDS_OWN_EXPIRY = "exceeds_own_expiry"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    NAME_TAKEN = "name_taken"
    KEY_LIMIT_REACHED = "key_limit_reached"
    TOO_MANY_KEYS = "too_many_keys"
    ROTATION_IN_PROGRESS = "rotation_in_progress"
    KEY_REVOKED = "key_revoked"
    KEY_EXPIRED = "key_expired"
    LAST_ADMIN = "last_admin"
    CHANGED_MEANWHILE = "changed_meanwhile"
    ALREADY_SUBMITTED = "already_submitted"
    REQUEST_IN_PROGRESS = "request_in_progress"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    TOO_MANY_CONCURRENT = "too_many_concurrent"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of one field. `field` is a dotted path such as ``metadata.cost``."""

    field: str
    code: str
    message: str


class DomainError(Exception):
    """An error with a message for the user, a code and the fields concerned."""

    default_code: ErrorCode = ErrorCode.CONFLICT

    def __init__(
        self, message: str, *, code: ErrorCode | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.problems = tuple(problems)


class Invalid(DomainError):
    """The input can't be stored. Each problem names its field."""

    default_code = ErrorCode.INVALID

    @classmethod
    def field(cls, field: str, message: str, code: ErrorCode = ErrorCode.INVALID) -> "Invalid":
        return cls(message, code=code, problems=[Problem(field, code, message)])


class Forbidden(DomainError):
    """The actor is known but lacks permission."""

    default_code = ErrorCode.FORBIDDEN


class LacksScope(Forbidden):
    """The API key doesn't have `scope`."""

    default_code = ErrorCode.INSUFFICIENT_SCOPE

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope {scope}.")
        self.scope = scope


class NotFound(DomainError):
    """Doesn't exist, or belongs to another organization. The two look the same to callers."""

    default_code = ErrorCode.NOT_FOUND

    def __init__(
        self, message: str = "No such resource.", *, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message, problems=problems)


class Conflict(DomainError):
    """The current state doesn't allow this, or another request came first."""


class AlreadyDone(Conflict):
    """The requested change was made before. Some callers treat it as a success."""


class Busy(Conflict):
    """Too many operations of this kind are running. Nothing was done."""

    default_code = ErrorCode.TOO_MANY_CONCURRENT

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Mismatch(DomainError):
    """A retry whose content differs from the original request."""


def require_unchanged(updated_at: datetime, seen_at: datetime | None, what: str) -> None:
    """Raises Conflict if the object changed since `seen_at`. None skips the check."""
    if seen_at and seen_at != updated_at:
        message = f"Someone changed this {what} while you were editing. Review their version."
        raise Conflict(message, code=ErrorCode.CHANGED_MEANWHILE)


def is_stale(refusal: DomainError) -> bool:
    """Whether the error says that someone else changed the object first."""
    return refusal.code == ErrorCode.CHANGED_MEANWHILE
