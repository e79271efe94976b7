"""What the filters of the Activity page refuse, and what follows from them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import time_machine
from django.test import Client
from django.utils import timezone

from apikeys.services import Issued
from core import cooldowns, transactions
from core.actors import Actor
from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import Organization, User
from tests.pages.support import developer, html, sign_in, told


def test_days_in_the_wrong_order_are_named_on_their_field(
    browser: Client, acme: Organization
) -> None:
    query = "period=dates&since=2026-03-02&until=2026-03-01"

    for page in ("activity/", "activity/export/"):
        answer = browser.get(developer(acme, f"{page}?{query}"))

        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == ["until"]
        assert "Choose the first day or a later one." in html(answer)


def test_a_period_keeps_its_next_page_past_midnight(
    browser: Client, acme: Organization, as_admin: Actor
) -> None:
    with transactions.operation():
        for _ in range(60):
            audit.record(OrganizationEvent.MEMBER_LEFT, acme, actor=as_admin)
    first = browser.get(developer(acme, "activity/?kind=member&period=7"))
    following = first.context["following"]

    with time_machine.travel(timezone.now() + timedelta(days=1)):
        browser = sign_in(User.objects.get(pk=as_admin.principal_id))
        second = browser.get(developer(acme, f"activity/?{following}"))
        other = following.replace("period=7", "period=30")
        again = browser.get(developer(acme, f"activity/?{other}"))

    assert [len(told(answer)) for answer in (first, second, again)] == [50, 10, 50]


def test_what_searches_for_no_text_has_no_cooldown(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], monkeypatch: Any
) -> None:
    key = make_key().key
    monkeypatch.setattr(cooldowns, "seconds_left", lambda *_: 5)

    def status(**query: str) -> int:
        return browser.get(developer(acme, "activity/"), query).status_code

    assert status(q=" ") == status(actor=" ") == status(q=f" {key.public_id} ") == 200
    assert status(q=" CI ") == status(actor="Ada") == 429
