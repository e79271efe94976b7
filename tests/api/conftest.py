"""What the tests of the API need besides the cast."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from apikeys import limits
from apikeys.services import Issued
from tests.conftest import ALL_SCOPES
from tests.support_api import MakeKey


@pytest.fixture
def set_limit(settings: Settings) -> Iterator[Callable[[int], None]]:
    """Lets the standard tier have so many requests a minute, counted by the real limiter."""

    def limit(requests: int) -> None:
        settings.RATE_LIMIT_TIERS = {"standard": f"{requests}/minute"}
        limits._item.cache_clear()

    limits._make_limiter.cache_clear()
    yield limit
    limits._item.cache_clear()
    limits._make_limiter.cache_clear()


@pytest.fixture
def sandbox(make_key: MakeKey) -> Issued:
    """Acme's key with every scope in the test environment."""
    return make_key(name="Sandbox", scopes=ALL_SCOPES, environment="test")
