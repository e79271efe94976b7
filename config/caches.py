"""Django's cache in Redis or Valkey that goes on, in the process's own memory, without them.

What is kept in it are attempts to sign in: people get in while the store is away, and each process
counts their attempts by itself.
"""

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
_log = structlog.get_logger(__name__)


class EnduringCache(BaseCache):
    """`patience` in its options is how many seconds the store may take to answer."""

    #: Of the process, not of one thread's cache.
    _away_until: ClassVar[float | None] = None

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(params)
        patience = params.get("OPTIONS", {}).get("patience", 0.2)
        waits = {"socket_timeout": patience, "socket_connect_timeout": patience}
        options = {**waits, "retry": Retry(NoBackoff(), 0)}
        self._shared = RedisCache(server, {**params, "OPTIONS": options})
        self._own = LocMemCache("while the store is away", params)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._do("add", *args, **kwargs))

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._do("get", *args, **kwargs)

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
