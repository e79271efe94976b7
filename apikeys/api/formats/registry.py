"""Registry: which wire format is served under which path."""

from dataclasses import dataclass
from typing import Final, Literal

from apikeys.api.formats.account import ACCOUNT
from apikeys.api.formats.base import WireFormat
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.formats.envelope import ENVELOPE
from apikeys.api.formats.workspace import WORKSPACE

#: What a format offers unless it says otherwise.
USUAL: Final = frozenset(
    {"list", "create", "retrieve", "partial_update", "destroy", "rotate", "usage", "current"}
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A format at an address.

    base        where it lives; its schema is at `base`/openapi
    collection  what follows in the address of a list
    title       of the schema
    actions     what of the viewset is offered
    resource    what the URLs are about; `apikeys.api.urls` has a viewset for each
    """

    base: str
    collection: str
    wire: WireFormat
    title: str
    actions: frozenset[str] = USUAL
    resource: Literal["keys", "templates"] = "keys"

    @property
    def root(self) -> str:
        """Whatever lies under it and is no address is refused in the shape of the format."""
        return "/" + self.base.partition("/")[0]


_AS_DOCUMENTED: Final = frozenset({"list", "create", "destroy"})
#: Where two share a root, the first answers for what is no address.
MOUNTS: Final = (
    Mount("v1", "api-keys", CANONICAL, "Keys", USUAL | {"revoke_many"}),
    Mount("envelope/v1", "api-keys", ENVELOPE, "Keys in the envelope format"),
    Mount(
        "api/v1",
        "workspaces/<str:workspace_id>/api-keys",
        WORKSPACE,
        "Keys in the workspace format",
        _AS_DOCUMENTED,
    ),
    Mount(
        "v1/accounts",
        "<str:account_id>/templates",
        ACCOUNT,
        "Templates of an account",
        resource="templates",
    ),
)
