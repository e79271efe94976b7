"""Registry: which wire format is served under which path."""

from dataclasses import dataclass
from typing import Final, Literal

from apikeys.api.formats.account import ACCOUNT
from apikeys.api.formats.base import WireFormat
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.formats.envelope import ENVELOPE
from apikeys.api.formats.workspace import WORKSPACE

#: The actions that a format serves by default.
USUAL: Final = frozenset(
    {"list", "create", "retrieve", "partial_update", "destroy", "rotate", "usage", "current"}
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A wire format and its URLs.

    base        path prefix; the schema is at `base`/openapi.json and .yaml
    collection  path of the list, after `base`
    title       title of the schema
    actions     actions of the viewset that are served
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
        """The first part of the path. Errors for unknown URLs under it have this format."""
        return "/" + self.base.partition("/")[0]


_AS_DOCUMENTED: Final = frozenset({"list", "create", "destroy"})
#: If formats share a root, errors for unknown URLs have the first one's format.
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
