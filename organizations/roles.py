"""Roles, actions, and which role or scope allows which action."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The role of a person in an organization."""

    ADMIN = "admin"
    MEMBER = "member"


class Action(StrEnum):
    """Every action that the policy can check."""

    VIEW_ORGANIZATION = "view organization"
    RENAME_ORGANIZATION = "rename organization"
    SET_DEFAULT_EXPIRY = "set default expiry"
    CLOSE_ORGANIZATION = "close organization"
    REOPEN_ORGANIZATION = "reopen organization"
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

#: Reserved for the provider of the service.
STAFF_ONLY: Final = frozenset(
    {
        Action.REOPEN_ORGANIZATION,
        Action.SET_API_ACCESS,
        Action.SET_TIER,
        Action.SET_KEY_LIMIT,
    }
)

ALLOWED: Final[dict[Role, frozenset[Action]]] = {
    Role.ADMIN: frozenset(Action) - STAFF_ONLY,
    Role.MEMBER: frozenset({Action.VIEW_ORGANIZATION, Action.VIEW_TEMPLATES}),
}

#: The scope that an API key needs for an action; None: any active key. Actions that are not listed
#: require a person.
KEY_SCOPES: Final[dict[Action, str | None]] = {
    Action.VIEW_ORGANIZATION: None,
    Action.VIEW_TEMPLATES: None,
    Action.MANAGE_TEMPLATES: MANAGE_KEYS_SCOPE,
    Action.VIEW_KEYS: MANAGE_KEYS_SCOPE,
    Action.MANAGE_KEYS: MANAGE_KEYS_SCOPE,
}
