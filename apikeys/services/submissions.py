"""A form that is sent twice makes one secret: reload, double click, a tab that was copied."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid5

from apikeys.models import ApiKey
from organizations.exceptions import Conflict, ErrorCode
from organizations.models import Organization
from organizations.writes import conflict_on

_MESSAGE = "This form was already sent. Its secret can't be shown again."


class AlreadySubmitted(Conflict):
    """The form has made its secret before; `key` is what it made then."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__(_MESSAGE, code=ErrorCode.ALREADY_SUBMITTED)
        self.key = key


def scoped(organization_id: UUID, submission: UUID | None) -> UUID | None:
    """The submission as it is kept: the same id from two organizations is two submissions."""
    return uuid5(organization_id, submission.hex) if submission else None


@contextmanager
def once(organization: Organization, submission: UUID | None) -> Iterator[None]:
    """Around the writes: tells the loss against an earlier sending from every other conflict."""
    try:
        yield
    except Conflict:
        kept = scoped(organization.id, submission)
        earlier = kept and ApiKey.objects.filter(secrets__submission=kept).first()
        if earlier:
            raise AlreadySubmitted(earlier) from None
        raise


@contextmanager
def first_sending(submission: UUID | None) -> Iterator[None]:
    """Around the insert of a secret: Conflict if its submission has made one before."""
    if submission is None:
        yield
        return
    refusal = Conflict(_MESSAGE, code=ErrorCode.ALREADY_SUBMITTED)
    with conflict_on("submission", "submission", refusal):
        yield
