"""The settings of this app, typed."""

from collections.abc import Mapping

from django.conf import settings

from apikeys.tokens import Peppers


def brand() -> str:
    """The first part of every new secret."""
    value: str = settings.API_KEY_BRAND
    return value


def peppers() -> Peppers:
    """The numbered keys of the digest."""
    value: Peppers = settings.API_KEY_PEPPERS
    return value


def lease() -> float:
    """For how many seconds a worker may trust what it has verified; 0 for not at all."""
    value: float = settings.API_KEY_LEASE
    return value


def stale_seconds() -> float:
    """For how many seconds more while the database is away; 0 for none."""
    value: float = settings.API_KEY_STALE_SECONDS
    return value


def invalid_keys() -> int:
    """How many unknown keys an address may send in a minute; 0 for any number."""
    value: int = settings.INVALID_KEYS_PER_MINUTE
    return value


def keys_per_organization() -> int:
    """The most keys of an organization without a limit of its own; 0 for any number."""
    value: int = settings.KEYS_PER_ORGANIZATION
    return value


def scopes() -> Mapping[str, str]:
    """The registry: scope → description, in the order of display."""
    value: Mapping[str, str] = settings.API_KEY_SCOPES
    return value


def tiers() -> Mapping[str, str]:
    """Rate-limit tier → its limit as the limits library writes it, such as ``600/minute``."""
    value: Mapping[str, str] = settings.RATE_LIMIT_TIERS
    return value
