"""Who may do what: the roles of people, the actions, and the tables between them."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is in an organization."""

    ADMIN = "admin"
    MEMBER = "member"


class Action(StrEnum):
    """Everything that the policy is asked about."""

    VIEW_ORGANIZATION = "view organization"
    RENAME_ORGANIZATION = "rename organization"
    MANAGE_MEMBERS = "manage members"
    MANAGE_SERVICE_ACCOUNTS = "manage service accounts"
    VIEW_KEYS = "view keys"
    MANAGE_KEYS = "manage keys"
    VIEW_TEMPLATES = "view templates"
    MANAGE_TEMPLATES = "manage templates"
    SET_API_ACCESS = "set API access"
    SET_TIER = "set rate-limit tier"
    SET_KEY_LIMIT = "set limit of keys"


MANAGE_KEYS_SCOPE: Final = "api-keys:manage"

#: Switches of the provider of the service, not of its customers.
STAFF_ONLY: Final = frozenset({Action.SET_API_ACCESS, Action.SET_TIER, Action.SET_KEY_LIMIT})

ALLOWED: Final[dict[Role, frozenset[Action]]] = {
    Role.ADMIN: frozenset(Action) - STAFF_ONLY,
    Role.MEMBER: frozenset({Action.VIEW_ORGANIZATION, Action.VIEW_TEMPLATES}),
}

#: The scope that opens an action to an API key; None: any usable key. Whatever is not listed
#: needs a person, whatever scopes a key holds.
KEY_SCOPES: Final[dict[Action, str | None]] = {
    Action.VIEW_ORGANIZATION: None,
    Action.VIEW_TEMPLATES: None,
    Action.MANAGE_TEMPLATES: MANAGE_KEYS_SCOPE,
    Action.VIEW_KEYS: MANAGE_KEYS_SCOPE,
    Action.MANAGE_KEYS: MANAGE_KEYS_SCOPE,
}
