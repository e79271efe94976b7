"""The status of a key: one table, applied in Python and made into SQL."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from django.db.models import Q


class Status(StrEnum):
    """The derived state of a key, in the order in which it is decided."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    DISABLED = "disabled"
    ACTIVE = "active"


class StatusRule(NamedTuple):
    """The status of a key whose `field` is set and, if it `may_lie_ahead`, has been reached."""

    status: Status
    field: str
    may_lie_ahead: bool


#: The first rule that applies decides. A key to which none applies is active.
STATUS_RULES: Final = (
    StatusRule(Status.REVOKED, "revoked_at", may_lie_ahead=False),
    StatusRule(Status.EXPIRED, "expires_at", may_lie_ahead=True),
    StatusRule(Status.DISABLED, "disabled_at", may_lie_ahead=False),
)


class HasStatus(Protocol):
    """What the rules read: a key, or the row that verification has found."""

    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def disabled_at(self) -> datetime | None: ...


def status_since(key: HasStatus, now: datetime) -> tuple[Status, datetime | None]:
    """The status of `key` at `now`, and since when; None for an active key."""
    for status, field, may_lie_ahead in STATUS_RULES:
        since: datetime | None = getattr(key, field)
        if since and not (may_lie_ahead and since > now):
            return status, since
    return Status.ACTIVE, None


def status_condition(status: str, now: datetime) -> Q:
    """The condition of keys whose status at `now` is `status`. ValueError for an unknown one."""
    wanted, condition = Status(status), Q()
    for rule in STATUS_RULES:
        applies = Q(**{f"{rule.field}__isnull": False})
        if rule.may_lie_ahead:
            applies &= Q(**{f"{rule.field}__lte": now})
        if rule.status is wanted:
            return condition & applies
        condition &= ~applies
    return condition
