"""The rate limits of a request, its key's and its organization's, and the RateLimit headers.

The headers follow the IETF draft on RateLimit fields: lists with an item for each limit.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from limits import RateLimitItem

from organizations import tiers

#: The name of an organization's limit in the headers. A key's limit is named after its tier.
ORGANIZATION: Final = "organization"


class Budget(NamedTuple):
    """`amount` requests in `window` seconds. `title` starts the item in the RateLimit header."""

    limit: RateLimitItem
    amount: int
    window: int
    title: str
    policy: str


class Budgets(NamedTuple):
    """A request's limits and its RateLimit-Policy. `organization` is None without such a limit."""

    key: Budget
    organization: Budget | None
    policy: str


@dataclass(slots=True)
class Limit:
    """Whether a request is within its limits, and what is left of their windows.

    `remaining` is the number of requests that this process knows to be left until the window ends
    in `resets` seconds.
    """

    allowed: bool
    budgets: Budgets
    remaining: int
    resets: int
    organization_remaining: int
    organization_resets: int
    #: Whether the organization's limit is the reason for refusing the request.
    by_organization: bool = False

    @property
    def retry_after(self) -> int:
        """Seconds after which to retry. 0 for an allowed request."""
        if self.allowed:
            return 0
        return max(1, self.organization_resets if self.by_organization else self.resets)

    @property
    def header(self) -> str:
        """The value of the RateLimit header."""
        key, organization, _ = self.budgets
        if organization is None:
            return f"{key.title}{self.remaining};t={self.resets}"
        return (
            f"{key.title}{self.remaining};t={self.resets}, "
            f"{organization.title}{self.organization_remaining};t={self.organization_resets}"
        )


@cache
def budgets_of(tier: str, organization_tier: str) -> Budgets:
    """The limits of a key in `tier` whose organization is in `organization_tier`."""
    key, limit = _budget(tier, tiers.key_limit(tier)), tiers.organization_limit(organization_tier)
    if limit is None:
        return Budgets(key, None, key.policy)
    organization = _budget(ORGANIZATION, limit)
    return Budgets(key, organization, f"{key.policy}, {organization.policy}")


def _budget(name: str, limit: RateLimitItem) -> Budget:
    amount, window = limit.amount, limit.get_expiry()
    return Budget(limit, amount, window, f'"{name}";r=', f'"{name}";q={amount};w={window}')
