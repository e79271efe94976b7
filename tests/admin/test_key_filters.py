"""Filters of the key list."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from tests.admin.support import page, text

#: Days from now at which a key was made, last used, disabled, revoked, or expires.
KEYS: Final[dict[str, dict[str, int]]] = {
    "fresh": {},
    "used": {"last_used_at": -1},
    "idle 31": {"last_used_at": -31, "created_at": -95},
    "idle 91": {"last_used_at": -91, "created_at": -95},
    "old, never used": {"created_at": -31},
    "ended": {"expires_at": -1},
    "ends in 6": {"expires_at": 6},
    "ends in 29": {"expires_at": 29},
    "ends in 31": {"expires_at": 31},
    "disabled": {"disabled_at": -1},
    "disabled, ended": {"disabled_at": -1, "expires_at": -1},
    "revoked": {"revoked_at": -1, "disabled_at": -1, "expires_at": -1},
}
NEVER_USED: Final = set(KEYS) - {"used", "idle 31", "idle 91"}
ENDS: Final = {name for name, times in KEYS.items() if "expires_at" in times}
ENDED: Final = {"ended", "disabled, ended", "revoked"}
STOPPED: Final = ENDED | {"disabled"}
FILTERS: Final[list[tuple[str, set[str]]]] = [
    ("", set(KEYS) | {"test"}),
    ("status=active", set(KEYS) - STOPPED | {"test"}),
    ("status=disabled", {"disabled"}),
    ("status=expired", {"ended", "disabled, ended"}),
    ("status=revoked", {"revoked"}),
    ("status=nonsense", set(KEYS) | {"test"}),
    ("environment__exact=live", set(KEYS)),
    ("environment__exact=test", {"test"}),
    ("expiry=past", ENDED),
    ("expiry=7", {"ends in 6"}),
    ("expiry=30", {"ends in 6", "ends in 29"}),
    ("expiry=later", {"ends in 31"}),
    ("expiry=never", set(KEYS) - ENDS | {"test"}),
    ("expiry=nonsense", set(KEYS) | {"test"}),
    ("idle=never", NEVER_USED | {"test"}),
    ("idle=30", {"idle 31", "idle 91", "old, never used"}),
    ("idle=90", {"idle 91"}),
    ("idle=nonsense", set(KEYS) | {"test"}),
    ("status=active&idle=90&environment__exact=live", {"idle 91"}),
]


@pytest.fixture
def keys(make_key: Callable[..., Issued]) -> None:
    now = timezone.now()
    for name, times in KEYS.items():
        key = make_key(name=name).key
        moments: dict[str, Any] = {n: now + timedelta(days=days) for n, days in times.items()}
        if moments:
            with transactions.allowed():
                ApiKey.objects.filter(pk=key.pk).update(**moments)
    make_key(name="test", environment="test")


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=[f or "none" for f, _ in FILTERS])
def test_a_filter_finds(browser: Client, keys: None, query: str, expected: set[str]) -> None:
    response = browser.get(f"{page(ApiKey)}?{query}")

    assert {key.name for key in response.context["cl"].queryset} == expected


def test_the_filters_can_count(browser: Client, keys: None) -> None:
    shown = text(browser.get(f"{page(ApiKey)}?_facets=True"))

    assert "Revoked (1)" in shown
    assert "Unused for 90 days (1)" in shown
