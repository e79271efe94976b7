"""Presets of permissions, and what a template fills into the form of a new key."""

from collections.abc import Collection
from typing import Any, Final

from apikeys import conf
from apikeys.forms import Option
from apikeys.models import KeyTemplate
from apikeys.scopes import default_scopes
from core.timestamps import days_in_words

STANDARD: Final = "standard"
READ: Final = "read"
FULL: Final = "full"
CUSTOM: Final = "custom"
#: The value of a key without an expiry, among the periods in days.
NEVER: Final = "never"

PERMISSIONS: Final = (
    (STANDARD, Option("Standard", "Everything except managing API keys.", "Standard permissions")),
    (READ, Option("Read only", "Read everything, change nothing.", "Read only")),
    (
        FULL,
        Option("Full access", "Can manage and delete other keys.", "Full access", is_risky=True),
    ),
    (CUSTOM, Option("Custom…", "Choose permissions one by one.", "Custom permissions")),
)
_NAMES: Final = {STANDARD: "Standard", READ: "Read only", FULL: "Full access"}


def scopes_of(preset: str) -> list[str]:
    """The scopes of a preset other than CUSTOM."""
    registry = conf.scopes()
    if preset == READ:
        return [scope for scope in registry if scope.endswith(":read")]
    return list(registry) if preset == FULL else default_scopes(registry, None)


def preset_of(scopes: Collection[str]) -> str:
    """The preset with exactly these scopes, or CUSTOM."""
    presets = (preset for preset in _NAMES if set(scopes_of(preset)) == set(scopes))
    return next(presets, CUSTOM)


def permissions_in_words(scopes: Collection[str]) -> str:
    """``Standard (4 of 5)``, or ``2 of 5 permissions`` if they are not a preset."""
    name, share = _NAMES.get(preset_of(scopes)), f"{len(scopes)} of {len(conf.scopes())}"
    return f"{name} ({share})" if name else f"{share} permissions"


def known_scopes(template: KeyTemplate) -> list[str]:
    """The template's scopes without those that the product has given up."""
    return [scope for scope in template.scopes if scope in conf.scopes()]


def expiry_of(days: int | None) -> str:
    """The choice of an expiry after so many days."""
    return str(days) if days else NEVER


def filled_in(template: KeyTemplate, default_days: int | None) -> dict[str, Any]:
    """Field → value that the template fills in. Without a lifetime it leaves the default expiry."""
    scopes = known_scopes(template)
    preset = preset_of(scopes)
    return {
        "permissions": preset,
        "scopes": scopes if preset == CUSTOM else [],
        "expires": expiry_of(template.lifetime_days or default_days),
    }


def period_in_words(days: int | None) -> str:
    """``90 days``, ``1 year``; “no expiry” without a lifetime."""
    return days_in_words(days) if days else "no expiry"
