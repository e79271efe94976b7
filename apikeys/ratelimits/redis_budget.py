"""Parts of rate limits: how much of a window one process may spend without asking again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

#: A process may hold this part of what is left of a window, and at least one request. Far from the
#: limit that is many at once; of the last 63 each is asked for by itself.
_PARTS: Final = 32
#: The keys are windows, their values what has been taken; each ends with its window. The parts,
#: then for each window its limit, its milliseconds and what the process holds of it → for each
#: window what is granted, what is left, and for how many milliseconds. Where one has nothing left
#: for a process that holds nothing of it, nothing is taken of the others either: the request is
#: refused, and what it took would be kept from other processes.
_TAKE: Final = b"""
local left, refused = {}, false
for n, key in ipairs(KEYS) do
  left[n] = math.max(0, tonumber(ARGV[3 * n - 1]) - (tonumber(redis.call('GET', key)) or 0))
  if left[n] == 0 and tonumber(ARGV[3 * n + 1]) == 0 then refused = true end
end
local answer = {}
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
  answer[#answer + 1] = granted
  answer[#answer + 1] = left[n] - granted
  answer[#answer + 1] = ends
end
return answer
"""


class WindowRequest(NamedTuple):
    """A window that a process asks more of; it holds `held` requests of it already."""

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
    """Budgets in Redis or Valkey. All processes together are granted no more than the limit."""

    def __init__(self, url: str, timeout: float = 0.2) -> None:
        """`timeout`: the seconds that the store may take to answer."""
        super().__init__(
            url,
            wrap_exceptions=True,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        self._take = self.get_connection().register_script(_TAKE)

    def take(self, requests: Sequence[WindowRequest]) -> list[Grant]:
        """Fills up what a process holds of each window, in one round trip, or of none of them.

        StorageError where the store does not answer.
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
