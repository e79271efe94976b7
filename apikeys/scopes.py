"""The registry of scopes. Scopes match exactly or not at all."""

from collections.abc import Collection, Mapping
from typing import Final

from core.exceptions import ErrorCode, Invalid
from organizations.roles import MANAGE_KEYS_SCOPE

#: The default of the setting `API_KEY_SCOPES`: name → description.
DEFAULT_SCOPES: Final[Mapping[str, str]] = {
    "trademarks:read": "Look up trademarks and their histories.",
    "search:read": "Run searches and read their results.",
    "portfolios:manage": "Read and change portfolios.",
    "events:read": "Read the event feed.",
    MANAGE_KEYS_SCOPE: "Create, edit, rotate and delete API keys and templates.",
}


def clean_scopes(given: object, registry: Collection[str]) -> list[str]:
    """A non-empty list of distinct registered scopes in the given order, or Invalid."""
    if not isinstance(given, list) or not given:
        message = "Give a list of at least one scope."
        raise Invalid.field("scopes", message, ErrorCode.REQUIRED)
    for position, scope in enumerate(given):
        if not isinstance(scope, str) or scope not in registry:
            message = f"Unknown scope. Available scopes: {', '.join(registry)}."
            raise Invalid.field(f"scopes.{position}", message)
        if scope in given[:position]:
            raise Invalid.field(f"scopes.{position}", f"{scope} is given twice.")
    return list(given)


def default_scopes(registry: Collection[str], held: Collection[str] | None) -> list[str]:
    """The scopes of a new key if none are given: all except managing keys.

    `held` are the scopes of the acting key, which limit the result. None means no limit.
    """
    return [
        scope
        for scope in registry
        if scope != MANAGE_KEYS_SCOPE and (held is None or scope in held)
    ]


#: Access levels, for formats without scopes (source: envelope-create-api-key.txt).
LEVELS: Final = ("read", "read-write")


def scopes_of(level: str, registry: Collection[str], held: Collection[str] | None) -> list[str]:
    """The scopes of an access level for a key that has `held`. None means all."""
    offered = default_scopes(registry, held)
    return offered if level == "read-write" else [s for s in offered if _reads(s)]


def level_of(scopes: Collection[str]) -> str:
    """``read`` if all scopes are read-only."""
    return "read" if all(_reads(scope) for scope in scopes) else "read-write"


def _reads(scope: str) -> bool:
    return scope.endswith(":read")
