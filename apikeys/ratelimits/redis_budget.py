"""Rate limits in Redis or Valkey: reserves a part of a window for one process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

#: A process may hold this fraction of what is left of a window, and at least one request. Far from
#: the limit that is many requests. The last 63 are granted one at a time.
_PARTS: Final = 32
#: KEYS are windows, which expire when they end. Their values are the requests taken.
#: ARGV is _PARTS, then for each window its limit, its length in milliseconds, and what the process
#: holds of it.
#: Returns for each window the requests granted, the requests left, and the milliseconds left.
#: If a window has nothing left and the process holds nothing of it, the request is refused. Then
#: nothing is taken from the other windows, because other processes could not use it.
_TAKE: Final = b"""
local left, refused = {}, false
for n, key in ipairs(KEYS) do
  left[n] = math.max(0, tonumber(ARGV[3 * n - 1]) - (tonumber(redis.call('GET', key)) or 0))
  if left[n] == 0 and tonumber(ARGV[3 * n + 1]) == 0 then refused = true end
end
local result = {}
for n, key in ipairs(KEYS) do
  local granted = 0
  if not refused then
    local part = math.max(1, math.floor(left[n] / tonumber(ARGV[1])))
    granted = math.max(0, part - tonumber(ARGV[3 * n + 1]))
  end
  if granted > 0 then redis.call('INCRBY', key, granted) end
  local ends = redis.call('PTTL', key)
  if ends < 0 then
    ends = tonumber(ARGV[3 * n])
    redis.call('PEXPIRE', key, ends)
  end
  result[#result + 1] = granted
  result[#result + 1] = left[n] - granted
  result[#result + 1] = ends
end
return result
"""


class WindowRequest(NamedTuple):
    """A window that a process needs more of. It already holds `held` requests of it."""

    name: str
    limit: RateLimitItem
    held: int


@dataclass(frozen=True, slots=True)
class Grant:
    """`granted` requests to let through within `seconds`, and how many are `left` for others."""

    granted: int
    left: int
    seconds: float


class SharedQuota(RedisStorage):
    """Grants all processes together no more than the limit."""

    def __init__(self, url: str, timeout: float = 0.2) -> None:
        """`timeout`: the seconds that the store may take to respond."""
        super().__init__(
            url,
            wrap_exceptions=True,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        self._take = self.get_connection().register_script(_TAKE)

    def take(self, requests: Sequence[WindowRequest]) -> list[Grant]:
        """Reserves more of each window, or of none, in one round trip.

        Raises StorageError if the store does not respond.
        """
        keys = [self.prefixed_key(limit.key_for(name)) for name, limit, _ in requests]
        arguments = [_PARTS]
        for _, limit, held in requests:
            arguments += (limit.amount, limit.get_expiry() * 1000, held)
        try:
            reply = iter(self._take(keys=keys, args=arguments))
        except self.base_exceptions as error:
            raise StorageError(error) from error
        return [
            Grant(granted, left, max(0, milliseconds) / 1000)
            for granted, left, milliseconds in zip(reply, reply, reply, strict=True)
        ]
