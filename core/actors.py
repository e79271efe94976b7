"""The one who acts: a person, an API key, a member of staff or the system itself."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID


class ActorKind(StrEnum):
    """What sort of principal an actor is."""

    PERSON = "person"
    KEY = "key"
    STAFF = "staff"
    SYSTEM = "system"


class RequestContext(NamedTuple):
    """Where an act came from. `request_id` is empty outside a request."""

    request_id: str = ""
    ip: str | None = None
    user_agent: str = ""


#: Of whatever does not come from a request.
NOWHERE: Final = RequestContext()


class Actor(NamedTuple):
    """Who acts, how far their own authority reaches, and from where. Made anew for each call.

    `organization_id`, `scopes`, `environment`, `service_account_id` and `expires_at` are the limits
    of an API key; None means no limit of its own. They are those of when it was verified: what
    writes reads them again by `secret_id`. `authority_id` is the person on whose authority the
    actor acts.
    """

    kind: ActorKind
    label: str
    id: UUID | None = None
    authority_id: UUID | None = None
    organization_id: UUID | None = None
    scopes: frozenset[str] | None = None
    environment: str | None = None
    service_account_id: UUID | None = None
    expires_at: datetime | None = None
    secret_id: UUID | None = None
    origin: RequestContext = NOWHERE

    @property
    def is_authenticated(self) -> bool:
        """Always, as permissions of DRF's and others' ask: nobody becomes an actor otherwise."""
        return True

    @property
    def pk(self) -> UUID | None:
        """The id, by the name under which throttles of DRF's ask for it."""
        return self.id

    @property
    def principal_id(self) -> UUID:
        """The id of a person or a key; LookupError for the system, which has none."""
        if self.id is None:
            raise LookupError(self.kind)
        return self.id

    @classmethod
    def person(cls, user_id: UUID, label: str, origin: RequestContext = NOWHERE) -> "Actor":
        """A signed-in person; what they may do depends on their role in each organization."""
        return cls(
            kind=ActorKind.PERSON, id=user_id, authority_id=user_id, label=label, origin=origin
        )

    @classmethod
    def staff(cls, user_id: UUID, label: str, origin: RequestContext = NOWHERE) -> "Actor":
        """A member of staff at work in the admin, which has checked their permissions."""
        return cls(
            kind=ActorKind.STAFF, id=user_id, authority_id=user_id, label=label, origin=origin
        )

    @classmethod
    def system(cls, label: str = "system", origin: RequestContext = NOWHERE) -> "Actor":
        """A command or the application itself."""
        return cls(kind=ActorKind.SYSTEM, label=label, origin=origin)
