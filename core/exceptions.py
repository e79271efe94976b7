"""What the domain refuses, and why. Faces translate these; nothing here knows of HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ErrorCode(StrEnum):
    """Machine-readable reasons, the same in every face and format."""

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
    """One thing wrong with one field. `field` is a dotted path such as ``metadata.cost``."""

    field: str
    code: str
    message: str


class DomainError(Exception):
    """A refusal that its reader can act on: a sentence, a code and the fields concerned."""

    default_code: ErrorCode = ErrorCode.CONFLICT

    def __init__(
        self, message: str, *, code: ErrorCode | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.problems = tuple(problems)


class Invalid(DomainError):
    """The input cannot be stored as it is; each problem names its field."""

    default_code = ErrorCode.INVALID

    @classmethod
    def field(cls, field: str, message: str, code: ErrorCode = ErrorCode.INVALID) -> "Invalid":
        """The refusal of one field."""
        return cls(message, code=code, problems=[Problem(field, code, message)])


class Forbidden(DomainError):
    """The actor is known but may not do this."""

    default_code = ErrorCode.FORBIDDEN


class LacksScope(Forbidden):
    """The key may not do this, as it does not hold `scope`."""

    default_code = ErrorCode.INSUFFICIENT_SCOPE

    def __init__(self, scope: str) -> None:
        super().__init__(f"This API key lacks the scope {scope}.")
        self.scope = scope


class NotFound(DomainError):
    """Absent, or another organization's: the two are never told apart."""

    default_code = ErrorCode.NOT_FOUND

    def __init__(
        self, message: str = "No such resource.", *, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message, problems=problems)


class Conflict(DomainError):
    """The state of things refuses this, or another request was first."""


class AlreadyDone(Conflict):
    """What is asked for was done before: a refusal to some, to others as good as a success."""


class Busy(Conflict):
    """Too much of this kind is in progress; nothing was done. Try again after `retry_after` s."""

    default_code = ErrorCode.TOO_MANY_CONCURRENT

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Mismatch(DomainError):
    """It says that it repeats an earlier request, and asks for something else."""


def require_unchanged(updated_at: datetime, seen_at: datetime | None, what: str) -> None:
    """Conflict if what was looked at as of `seen_at` has changed meanwhile; None asks nothing."""
    if seen_at and seen_at != updated_at:
        message = f"Someone changed this {what} while you were editing. Review their version."
        raise Conflict(message, code=ErrorCode.CHANGED_MEANWHILE)


def is_stale(refusal: DomainError) -> bool:
    """Whether the refusal is that somebody else was first to change it."""
    return refusal.code == ErrorCode.CHANGED_MEANWHILE
