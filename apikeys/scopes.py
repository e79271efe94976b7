"""The registry of scopes and what may be chosen from it. Scopes match exactly or not at all."""

from collections.abc import Collection, Mapping
from typing import Final

from core.exceptions import ErrorCode, Invalid
from organizations.roles import MANAGE_KEYS_SCOPE

#: The default of the setting `API_KEY_SCOPES`: name → what it opens.
DEFAULT_SCOPES: Final[Mapping[str, str]] = {
    "trademarks:read": "Look up trademarks and their histories.",
    "search:read": "Run searches and read their results.",
    "portfolios:manage": "Read and change portfolios.",
    "events:read": "Read the event feed.",
    MANAGE_KEYS_SCOPE: "Create, change, rotate and revoke API keys and templates.",
}


def clean_scopes(given: object, registry: Collection[str]) -> list[str]:
    """A non-empty list of distinct scopes of the registry, in the order given, or Invalid."""
    if not isinstance(given, list) or not given:
        message = "Give a list of at least one scope."
        raise Invalid.field("scopes", message, ErrorCode.REQUIRED)
    for position, scope in enumerate(given):
        if not isinstance(scope, str) or scope not in registry:
            message = f"This is no scope. Available scopes: {', '.join(registry)}."
            raise Invalid.field(f"scopes.{position}", message)
        if scope in given[:position]:
            raise Invalid.field(f"scopes.{position}", f"{scope} is given twice.")
    return list(given)


def default_scopes(registry: Collection[str], held: Collection[str] | None) -> list[str]:
    """What a key gets when no scopes are named: all that may be handed out but managing keys.

    `held` are the scopes of the credential that asks; None means that it may hand out all.
    """
    return [
        scope
        for scope in registry
        if scope != MANAGE_KEYS_SCOPE and (held is None or scope in held)
    ]


#: A key's scopes in one word, for formats that know no more (source: envelope-create-api-key.txt).
LEVELS: Final = ("read", "read-write")


def scopes_of(level: str, registry: Collection[str], held: Collection[str] | None) -> list[str]:
    """The scopes that a level means for a credential that holds `held`; None holds all."""
    offered = default_scopes(registry, held)
    return offered if level == "read-write" else [s for s in offered if _reads(s)]


def level_of(scopes: Collection[str]) -> str:
    """``read`` for a key that holds nothing but reading scopes."""
    return "read" if all(_reads(scope) for scope in scopes) else "read-write"


def _reads(scope: str) -> bool:
    return scope.endswith(":read")
