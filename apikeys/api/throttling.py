"""The rate limit of a key, the same budget in every format."""

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apikeys.limits import limiter
from apikeys.verification import FoundSecret


class KeyThrottle(BaseThrottle):
    """Counts verified keys only, so that nobody uses up a key's budget without its secret."""

    def __init__(self) -> None:
        self._retry_after = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        found = request.auth
        if not isinstance(found, FoundSecret):
            return True
        limit = limiter().hit(found.key_id, found.rate_limit_tier)
        self._retry_after = limit.retry_after
        return limit.allowed

    def wait(self) -> float:
        """Seconds until the window ends; becomes `Retry-After`."""
        return self._retry_after
