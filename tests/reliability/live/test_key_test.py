"""The Test page's request to the real API explains why a key was rejected."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.timestamps import stamp
from organizations.models import Organization, User
from organizations.services import set_api_access
from tests.factories import SYSTEM
from tests.pages.support import developer, sign_in
from tests.reliability.live.conftest import LEASE, Server

Test = Callable[[Issued], str]


@pytest.fixture
def verdict(server: Server, settings: Any, acme: Organization, admin: User) -> Test:
    """What the page says of a key that Acme's admin has pasted."""
    settings.API_BASE_URL = server.address
    browser = sign_in(admin, Client())

    def ask(issued: Issued) -> str:
        answer = browser.post(developer(acme, "test/"), {"key": issued.secret})
        assert answer.status_code == 200
        said: str = answer.context["result"]["verdict"]
        return said

    return ask


def _ended(issued: Issued) -> str:
    """Lets a key end an hour ago; when that was, in words."""
    end = timezone.now() - timedelta(hours=1)
    with transactions.allowed():
        ApiKey.objects.filter(pk=issued.key.pk).update(expires_at=end)
    time.sleep(LEASE)  # no service has waited for the leases
    return stamp(end)


def test_a_key_that_works_and_one_that_ended(
    verdict: Test, make_key: Callable[..., Issued]
) -> None:
    issued = make_key()

    works = verdict(issued)
    moment = _ended(issued)

    assert works == "The key works."
    assert verdict(issued) == f"Rejected: This API key expired on {moment}."


def test_keys_that_somebody_stopped(verdict: Test, make_key: Callable[..., Issued]) -> None:
    deleted, disabled = make_key(), make_key()
    services.revoke_api_key(deleted.key, actor=SYSTEM)
    services.set_api_key_enabled(disabled.key, enabled=False, actor=SYSTEM)
    deleted.key.refresh_from_db()
    disabled.key.refresh_from_db()

    assert verdict(deleted) == _stopped("revoked", deleted.key.revoked_at)
    assert verdict(disabled) == _stopped("disabled", disabled.key.disabled_at)


def _stopped(how: str, at: datetime | None) -> str:
    assert at
    return f"Rejected: This API key was {how} on {stamp(at)}."


def test_another_accounts_key_and_one_of_nobody(
    verdict: Test, foreigner: Issued, make_key: Callable[..., Issued]
) -> None:
    unknown = make_key()
    with transactions.allowed():
        ApiKey.objects.filter(pk=unknown.key.pk).delete()

    assert verdict(foreigner) == "The key works, but not for this account."
    assert verdict(unknown) == "Rejected: the key is unknown, expired, disabled or deleted."


def test_while_api_access_is_off(
    verdict: Test, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    issued = make_key()
    set_api_access(acme, enabled=False, actor=SYSTEM)

    assert "API access" in verdict(issued)
