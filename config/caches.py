"""Redis cache that falls back to process memory while Redis is unreachable.

It stores sign-in attempts. Users can sign in while Redis is unreachable, and each process counts
their attempts separately.
"""

import json
import time
from typing import Any, ClassVar, Final

import structlog
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

#: Seconds before a process retries an unreachable store.
_PAUSE: Final = 5.0
#: The year 9999. A larger number isn't the time of an attempt.
_LATEST: Final = 253_402_300_800
_log = structlog.get_logger(__name__)


class UnreadableValue(Exception):
    """The store holds a value that this application did not write."""


class AttemptsSerializer:
    """Stores lists of timestamps and flags such as locks as JSON.

    Django's own serializer uses pickle: anyone who can write to the store could run code here.
    """

    def dumps(self, value: Any) -> bytes:
        """Raises TypeError for a value that can't be read back."""
        if not isinstance(value, bool | int) and not _are_timestamps(value):
            raise TypeError(f"The cache stores lists of numbers, not {type(value).__name__}.")
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> list[float]:
        """The timestamps. Raises UnreadableValue for everything else, including flags."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if not _are_timestamps(value):
            raise UnreadableValue
        found: list[float] = value
        return found


def _are_timestamps(value: Any) -> bool:
    """Whether `value` is a list of numbers. Booleans and NaN don't count."""
    return isinstance(value, list) and all(
        type(one) in (int, float) and 0 <= one < _LATEST for one in value
    )


class EnduringCache(BaseCache):
    """The option `store_timeout` is the timeout of the store in seconds."""

    #: Shared by all threads of the process.
    _away_until: ClassVar[float | None] = None

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(params)
        timeout = params.get("OPTIONS", {}).get("store_timeout", 0.2)
        waits = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        options = {**waits, "retry": Retry(NoBackoff(), 0), "serializer": AttemptsSerializer}
        self._shared = RedisCache(server, {**params, "OPTIONS": options})
        self._own = LocMemCache("while the store is away", params)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._do("add", *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """The value, or `default`, also for a value that this application did not write."""
        try:
            return self._do("get", key, default, version)
        except UnreadableValue:
            _log.warning("cache_value_unreadable")
            return default

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._do("set", *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._do("touch", *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._do("delete", *args, **kwargs))

    def clear(self) -> None:
        self._own.clear()
        self._do("clear")

    def _do(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        cls = type(self)
        if cls._away_until is None or time.monotonic() >= cls._away_until:
            try:
                result = getattr(self._shared, operation)(*args, **kwargs)
            except RedisError:
                if cls._away_until is None:
                    _log.error("cache_store_away", counting="per process")
                cls._away_until = time.monotonic() + _PAUSE
            else:
                cls._away_until = None
                return result
        return getattr(self._own, operation)(*args, **kwargs)
