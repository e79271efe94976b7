"""Typed access to this app's settings."""

from collections.abc import Mapping

from django.conf import settings

from apikeys.tokens import Peppers


def brand() -> str:
    """The first part of every new secret."""
    value: str = settings.API_KEY_BRAND
    return value


def peppers() -> Peppers:
    """The numbered keys of the secrets' digests."""
    value: Peppers = settings.API_KEY_PEPPERS
    return value


def lease() -> float:
    """Seconds that a worker may cache a verification. 0 disables the cache."""
    value: float = settings.API_KEY_LEASE
    return value


def stale_seconds() -> float:
    """Additional seconds while the database is unavailable. 0 for none."""
    value: float = settings.API_KEY_STALE_SECONDS
    return value


def invalid_keys_per_minute() -> int:
    """Unknown keys that an IP address may send per minute. 0 for no limit."""
    value: int = settings.INVALID_KEYS_PER_MINUTE
    return value


def keys_per_organization() -> int:
    """Default key limit of an organization. 0 for no limit."""
    value: int = settings.KEYS_PER_ORGANIZATION
    return value


def scopes() -> Mapping[str, str]:
    """Scope → description, in display order."""
    value: Mapping[str, str] = settings.API_KEY_SCOPES
    return value


def tiers() -> Mapping[str, str]:
    """Rate-limit tier → limit in the syntax of the limits library, such as ``600/minute``."""
    value: Mapping[str, str] = settings.RATE_LIMIT_TIERS
    return value
