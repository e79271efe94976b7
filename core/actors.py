"""Actor: who performs an operation (a person, an API key, staff or the system)."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID


class ActorKind(StrEnum):
    PERSON = "person"
    KEY = "key"
    STAFF = "staff"
    SYSTEM = "system"


class RequestContext(NamedTuple):
    """Where a request came from. `request_id` is empty outside a request."""

    request_id: str = ""
    ip: str | None = None
    user_agent: str = ""


#: For operations outside a request.
NO_REQUEST: Final = RequestContext()


class Actor(NamedTuple):
    """Who performs an operation, the limits of their authority, and where the request came from.

    `organization_id`, `scopes`, `environment`, `service_account_id` and `expires_at` are limits of
    an API key. None means no limit. They are as of verification; services read them again by
    `secret_id`. `authority_id` is the person on whose authority the actor acts.
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
    origin: RequestContext = NO_REQUEST

    @property
    def is_authenticated(self) -> bool:
        # DRF permissions ask for this. Every actor has been authenticated.
        return True

    @property
    def pk(self) -> UUID | None:
        # DRF throttles ask for this name.
        return self.id

    @property
    def principal_id(self) -> UUID:
        """The ID of the person or key. Raises LookupError for the system, which has none."""
        if self.id is None:
            raise LookupError(self.kind)
        return self.id

    @classmethod
    def person(cls, user_id: UUID, label: str, origin: RequestContext = NO_REQUEST) -> "Actor":
        """A signed-in person. Permissions depend on their role in each organization."""
        return cls(
            kind=ActorKind.PERSON, id=user_id, authority_id=user_id, label=label, origin=origin
        )

    @classmethod
    def staff(cls, user_id: UUID, label: str, origin: RequestContext = NO_REQUEST) -> "Actor":
        """A staff member using the admin, which has already checked their permissions."""
        return cls(
            kind=ActorKind.STAFF, id=user_id, authority_id=user_id, label=label, origin=origin
        )

    @classmethod
    def system(cls, label: str = "system", origin: RequestContext = NO_REQUEST) -> "Actor":
        return cls(kind=ActorKind.SYSTEM, label=label, origin=origin)
