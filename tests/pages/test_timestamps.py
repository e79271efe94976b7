"""Relative times count calendar days, like the dates next to them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.timestamps import distance
from organizations.models import Organization
from tests.pages.support import developer

MINUTE = timedelta(minutes=1)


def _midnight(days: int) -> datetime:
    """The beginning of today in UTC, or of the day that is so many days later."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days)


def _change(issued: Issued, **fields: Any) -> None:
    with transactions.allowed():
        ApiKey.objects.filter(pk=issued.key.pk).update(**fields)


def _text(answer: Any) -> str:
    text: str = answer.content.decode()
    return " ".join(text.replace("\xa0", " ").split())


def test_an_expiry_and_a_last_use_are_told_in_days_of_the_calendar(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    """Late on the day before yesterday is less than two days ago, but two dates back."""
    ended, near = make_key(name="Ended"), make_key(name="Near")
    late = _midnight(-1) - MINUTE
    _change(ended, created_at=late - MINUTE, expires_at=late, last_used_at=late)
    _change(near, expires_at=_midnight(2))

    text = _text(browser.get(developer(acme)))

    assert text.count(">2 days ago<") == 2, "expired and last used"
    assert ">in 2 days<" in text
    assert "1 day ago" not in text


def test_an_unused_key_is_told_in_days_of_the_calendar(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    late = _midnight(-39) - MINUTE
    _change(make_key(name="Idle"), created_at=late, last_used_at=late)

    assert ">40 days ago<" in _text(browser.get(developer(acme)))


@pytest.mark.parametrize(
    ("earlier", "later", "told"),
    [
        ("2026-11-30T12:00:00", "2026-11-30T12:00:59", ""),
        ("2026-11-30T12:00:00", "2026-11-30T12:01:00", "1 minute"),
        ("2026-11-29T23:00:00", "2026-11-30T22:59:00", "23 hours"),
        ("2026-11-29T12:00:00", "2026-11-30T12:00:00", "1 day"),
        ("2026-11-28T23:59:00", "2026-11-30T00:30:00", "2 days"),
        ("2026-11-28T00:00:00", "2026-11-30T23:59:00", "2 days"),
        ("2026-11-17T23:00:00", "2026-11-30T01:00:00", "13 days"),
        ("2026-10-31T23:00:00", "2026-11-30T01:00:00", "30 days"),
        ("2026-09-30T00:00:00", "2026-11-30T00:00:00", "2 months"),
        ("2024-11-30T00:00:00", "2026-11-30T00:00:00", "2 years"),
    ],
)
def test_distances(earlier: str, later: str, told: str) -> None:
    first, second = (datetime.fromisoformat(f"{moment}+00:00") for moment in (earlier, later))

    assert distance(first, second).replace("\xa0", " ") == told
