"""The two limits of a request, that of its key and that of its organization, and their headers.

The headers are those of the IETF draft on RateLimit fields: lists with an item for each limit.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from limits import RateLimitItem

from organizations import tiers

#: What the headers call the limit of an organization; that of a key is called by its tier.
ORGANIZATION: Final = "organization"


class Budget(NamedTuple):
    """A limit: `amount` requests in `window` seconds. `title` begins its item in RateLimit."""

    limit: RateLimitItem
    amount: int
    window: int
    title: str
    policy: str


class Budgets(NamedTuple):
    """The limits of a request and its RateLimit-Policy; `organization` is None for no limit."""

    key: Budget
    organization: Budget | None
    policy: str


@dataclass(slots=True)
class Limit:
    """Whether a request is within its limits, and where their windows stand.

    `remaining` requests as far as this process knows, until the window ends in `resets` seconds.
    """

    allowed: bool
    budgets: Budgets
    remaining: int
    resets: int
    organization_remaining: int
    organization_resets: int
    #: For a request that is refused: whether by the limit of its organization.
    by_organization: bool = False

    @property
    def retry_after(self) -> int:
        """Seconds after which it is worth trying again; 0 for a request that was let through."""
        if self.allowed:
            return 0
        return max(1, self.organization_resets if self.by_organization else self.resets)

    @property
    def header(self) -> str:
        """The value of RateLimit."""
        key, organization, _ = self.budgets
        if organization is None:
            return f"{key.title}{self.remaining};t={self.resets}"
        return (
            f"{key.title}{self.remaining};t={self.resets}, "
            f"{organization.title}{self.organization_remaining};t={self.organization_resets}"
        )


@cache
def budgets_of(tier: str, organization_tier: str) -> Budgets:
    """The limits of a key in `tier`, whose organization is in `organization_tier`."""
    key, limit = _budget(tier, tiers.key_limit(tier)), tiers.organization_limit(organization_tier)
    if limit is None:
        return Budgets(key, None, key.policy)
    organization = _budget(ORGANIZATION, limit)
    return Budgets(key, organization, f"{key.policy}, {organization.policy}")


def _budget(name: str, limit: RateLimitItem) -> Budget:
    amount, window = limit.amount, limit.get_expiry()
    return Budget(limit, amount, window, f'"{name}";r=', f'"{name}";q={amount};w={window}')
