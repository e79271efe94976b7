"""Parts of a rate limit: how much of a window one process may spend without asking again."""

from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

#: A process takes this part of what is left of a window, and at least one request. Far from the
#: limit that is many at once; of the last 63 each is asked for by itself.
_PARTS: Final = 32
#: The key is the window's, its value what has been taken; it ends with its window. Limit, the
#: window in milliseconds, parts → what is granted, what is left, and for how many milliseconds.
_TAKE: Final = b"""
local used = tonumber(redis.call('GET', KEYS[1])) or 0
local left = tonumber(ARGV[1]) - used
if left <= 0 then return {0, 0, redis.call('PTTL', KEYS[1])} end
local granted = math.max(1, math.floor(left / tonumber(ARGV[3])))
redis.call('INCRBY', KEYS[1], granted)
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {granted, left - granted, redis.call('PTTL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """`granted` requests to let through within `seconds`, and how many are `left` for others."""

    granted: int
    left: int
    seconds: float


class SharedQuota(RedisStorage):
    """Budgets in Redis or Valkey. All processes together are granted no more than the limit."""

    def __init__(self, url: str, patience: float = 0.2) -> None:
        """`patience`: the seconds that the store may take to answer."""
        super().__init__(
            url,
            wrap_exceptions=True,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        self._take = self.get_connection().register_script(_TAKE)

    def take(self, name: str, item: RateLimitItem) -> Grant:
        """One round trip; StorageError where the store does not answer."""
        key = self.prefixed_key(item.key_for(name))
        try:
            arguments = [item.amount, item.get_expiry() * 1000, _PARTS]
            granted, left, milliseconds = self._take(keys=[key], args=arguments)
        except self.base_exceptions as error:
            raise StorageError(error) from error
        return Grant(granted, left, max(0, milliseconds) / 1000)
