"""Rate limits by tier, per key and per organization."""

from django.conf import settings
from limits import RateLimitItem, parse


def key_limit(tier: str) -> RateLimitItem:
    """The limit of a key in this tier. An unknown tier gets the limit of the first tier."""
    tiers = settings.RATE_LIMIT_TIERS
    return parse(tiers.get(tier) or next(iter(tiers.values())))


def organization_limit(tier: str) -> RateLimitItem | None:
    """The limit of all keys of an organization together, None for no limit."""
    factor: int = settings.ORGANIZATION_RATE_LIMIT_FACTOR
    if not factor:
        return None
    limit = key_limit(tier)
    return type(limit)(limit.amount * factor, limit.multiples, limit.namespace)


def in_words(limit: RateLimitItem) -> str:
    """The limit as pages show it, such as “6,000 requests per minute”."""
    unit, many = limit.GRANULARITY.name, limit.multiples
    period = unit if many == 1 else f"{many} {unit}s"
    return f"{limit.amount:,} request{'' if limit.amount == 1 else 's'} per {period}"
