"""Django's cache in Redis or Valkey that goes on, in the process's own memory, without them.

What is kept in it are attempts to sign in: people get in while the store is away, and each process
counts their attempts by itself.
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

#: Seconds for which a process that got no answer does not ask again.
_PAUSE: Final = 5.0
#: The year 9999: a larger number is not the time of an attempt.
_LATEST: Final = 253_402_300_800
_log = structlog.get_logger(__name__)


class UnreadableValue(Exception):
    """The store holds a value that this application has not written."""


class AttemptsSerializer:
    """Stores lists of timestamps, and marks such as locks, as JSON.

    Django's own serializer pickles, and reading a pickle runs what its writer chose: anyone who
    can write to the store could run code here.
    """

    def dumps(self, value: Any) -> bytes:
        """Raises TypeError for a value that could not be read back."""
        if not isinstance(value, bool | int) and not _are_timestamps(value):
            raise TypeError(f"The cache stores lists of numbers, not {type(value).__name__}.")
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> list[float]:
        """The timestamps; raises UnreadableValue for everything else, marks included."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if not _are_timestamps(value):
            raise UnreadableValue
        found: list[float] = value
        return found


def _are_timestamps(value: Any) -> bool:
    """Whether `value` is a list of numbers; booleans and NaN are not numbers here."""
    return isinstance(value, list) and all(
        type(one) in (int, float) and 0 <= one < _LATEST for one in value
    )


class EnduringCache(BaseCache):
    """`patience` in its options is how many seconds the store may take to answer."""

    #: Of the process, not of one thread's cache.
    _away_until: ClassVar[float | None] = None

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(params)
        patience = params.get("OPTIONS", {}).get("patience", 0.2)
        waits = {"socket_timeout": patience, "socket_connect_timeout": patience}
        options = {**waits, "retry": Retry(NoBackoff(), 0), "serializer": AttemptsSerializer}
        self._shared = RedisCache(server, {**params, "OPTIONS": options})
        self._own = LocMemCache("while the store is away", params)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._do("add", *args, **kwargs))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """The value; `default` also for a value that this application has not written."""
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
