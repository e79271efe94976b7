"""The rate limit of a key, the same budget in every format."""

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apikeys.api.authentication import use_of
from apikeys.limits import Limit, limiter
from apikeys.verification import FoundSecret


class KeyThrottle(BaseThrottle):
    """Counts verified keys only, so that nobody uses up a key's budget without its secret."""

    def __init__(self) -> None:
        self._limit: Limit | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        found = request.auth
        if not isinstance(found, FoundSecret):
            return True
        self._limit = limiter().hit(found.key_id, found.tier)
        use = use_of(request)
        if use:
            use.limit = self._limit
        return self._limit.allowed

    def wait(self) -> float:
        """Seconds until the window ends; becomes `Retry-After`."""
        return self._limit.retry_after if self._limit else 0
