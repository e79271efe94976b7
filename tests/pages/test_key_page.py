"""A key's page: its state, where it comes from, its usage and its history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations.models import Organization
from organizations.roles import MANAGE_KEYS_SCOPE
from tests.factories import SYSTEM
from tests.pages.support import count_requests, developer, html
from tests.support.domain import acting

Show = Callable[[ApiKey], Any]


@pytest.fixture
def show(browser: Client, acme: Organization) -> Show:
    """The page of a key."""
    return lambda key: browser.get(developer(acme, f"keys/{key.public_id}/"))


def _change(key: ApiKey, **fields: Any) -> None:
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(**fields)


def test_the_way_back(show: Show, acme: Organization, make_key: Callable[..., Issued]) -> None:
    text = html(show(make_key(name="Production").key))

    assert f'<a href="{developer(acme)}">API keys</a>' in text
    assert 'aria-current="page" data-fresh-too>Production</span>' in text
    assert "<title>Production – Acme – Latchkey</title>" in text


@pytest.mark.parametrize(
    ("fields", "badge"),
    [
        ({}, "Active"),
        ({"expires_at": timedelta(days=3)}, "Expiring soon"),
        ({"expires_at": timedelta(days=-1)}, "Expired"),
        ({"disabled_at": timedelta(0)}, "Disabled"),
        ({"revoked_at": timedelta(0)}, "Deleted"),
    ],
)
def test_the_state_stands_next_to_the_name(
    show: Show, make_key: Callable[..., Issued], fields: dict[str, timedelta], badge: str
) -> None:
    key = make_key(name="Production").key
    now = timezone.now()
    old = now - timedelta(days=9)
    _change(key, created_at=old, **{name: now + span for name, span in fields.items()})

    text = html(show(key))

    shown = text.split('id="key-status"')[1].split("</span>")[0]
    assert shown.strip().endswith(badge)


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("python-requests/2.32.3", "python-requests 2.32"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ('"><script>', "Unknown device"),
    ],
)
def test_the_last_use_names_the_client_in_words(
    show: Show, make_key: Callable[..., Issued], agent: str, shown: str
) -> None:
    key = make_key(name="Production").key
    used = {"last_used_at": timezone.now(), "last_used_ip": "192.0.2.7"}
    _change(key, **used, last_used_user_agent=agent)

    text = html(show(key))

    assert f'192.0.2.7 · <span title="{escape(agent)}">{shown}</span>' in text
    assert text.count(escape(agent)) == 1, "only as the title"


def test_a_rotation_is_a_state(
    show: Show, make_key: Callable[..., Issued], as_admin: Actor
) -> None:
    key = make_key(name="Production").key
    services.rotate_api_key(key, actor=as_admin)

    text = html(show(key))

    assert "Rotating</span>" in text
    assert "A rotation is under way." in text
    assert "Old secret valid until" in text


@pytest.mark.parametrize("state", ["active", "expired", "revoked"])
def test_what_can_be_done(
    show: Show, acme: Organization, make_key: Callable[..., Issued], state: str
) -> None:
    key = make_key(name="Production").key
    ago = timezone.now() - timedelta(days=1)
    if state != "active":
        field = {"expired": "expires_at", "revoked": "revoked_at"}[state]
        _change(key, created_at=ago - timedelta(days=1), **{field: ago})

    text = html(show(key))

    page = developer(acme, f"keys/{key.public_id}/")
    assert (f'href="{page}rotate/"' in text) is (state == "active")
    assert (f'href="{page}delete/"' in text) is (state != "revoked")
    assert (f'href="{page}switch/"' in text) is (state != "revoked")
    assert ("Edit permissions" in text) is (state != "revoked")
    assert ('aria-disabled="true" aria-describedby="key-expired"' in text) is (state == "expired")


def test_a_key_made_by_a_key_says_so(
    show: Show, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    manager = make_key(name="Manager", scopes=[MANAGE_KEYS_SCOPE, "search:read"])
    made = services.create_api_key(
        organization=acme, actor=acting(manager), name="Made", scopes=["search:read"]
    ).key

    text = html(show(made))

    address = developer(acme, f"keys/{manager.key.public_id}/")
    assert f'by the key <a href="{address}">Manager</a>' in text
    (row,) = show(made).context["timeline"]
    assert row["who"].startswith("The key “Manager")


@pytest.mark.parametrize(
    ("scopes", "warning"),
    [
        (["search:read"], ""),
        (["search:read", MANAGE_KEYS_SCOPE], "Can manage and delete other keys"),
        (None, "Full access: can manage and delete other keys"),
    ],
)
def test_power_over_other_keys_is_pointed_out(
    show: Show, make_key: Callable[..., Issued], scopes: list[str] | None, warning: str
) -> None:
    everything = ["trademarks:read", "search:read", "portfolios:manage", "events:read"]
    scopes = scopes or [*everything, MANAGE_KEYS_SCOPE]

    text = html(show(make_key(name="Production", scopes=scopes).key))

    assert f"{len(scopes)} of 5" in text
    assert ("manage and delete other keys" in text) is bool(warning)
    assert warning in text


def test_thirty_days_of_usage(show: Show, make_key: Callable[..., Issued]) -> None:
    busy, quiet = make_key(name="Busy").key, make_key(name="Quiet").key
    count_requests(busy, 0, ok=1200, rate_limited=12)
    count_requests(busy, 29, ok=100)
    count_requests(busy, 31, ok=5000)

    page = show(busy)

    text = html(page)
    assert page.context["usage"]["total"].requests == 1312
    assert len(page.context["usage"]["chart"].bars) == 30
    assert "1,312 requests in 30 days, 12 rejected" in text
    assert "vs. previous" not in text
    assert "No requests in the last 30 days." in html(show(quiet))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Live"}, "renamed this key from “Production” to “Live”"),
        ({"description": "x"}, "changed the description"),
        ({"scopes": ["search:read", "events:read"]}, "added the permission events:read"),
        (
            {"scopes": ["events:read"]},
            "added the permission events:read and removed the permission search:read",
        ),
        ({"name": "Live", "description": "x"}, "to “Live” and changed the description"),
        ({"enabled": False}, "disabled this key"),
    ],
)
def test_the_history_says_what_was_changed(
    show: Show,
    make_key: Callable[..., Issued],
    as_admin: Actor,
    changes: dict[str, Any],
    words: str,
) -> None:
    key = make_key(name="Production", scopes=["search:read"]).key
    services.update_api_key(key, actor=as_admin, changes=changes)

    timeline = show(key).context["timeline"]

    assert [row["who"] for row in timeline] == ["Ada Acme", "The system"]
    assert timeline[0]["words"].endswith(words)
    assert timeline[1]["words"] == "created this key"


def test_the_history_says_when_a_key_will_expire(
    show: Show, make_key: Callable[..., Issued], as_admin: Actor
) -> None:
    key = make_key(name="Production").key
    end = timezone.now() + timedelta(days=9)
    for expires_at in (end, None):
        services.update_api_key(key, actor=as_admin, changes={"expires_at": expires_at})

    last, first, _ = show(key).context["timeline"]

    assert first["words"] == f"set the expiry to {end.day} {end:%b %Y, %H:%M} UTC"
    assert last["words"] == "removed the expiry"


def test_the_history_keeps_reasons(show: Show, make_key: Callable[..., Issued]) -> None:
    key = make_key(name="Production").key
    services.revoke_api_key(key, actor=SYSTEM, reason="It leaked.")

    row = show(key).context["timeline"][0]

    assert (row["words"], row["detail"]) == ("deleted this key", "Reason: It leaked.")


def test_a_strangers_texts_are_escaped(show: Show, make_key: Callable[..., Issued]) -> None:
    nasty = "<b>\"'&"
    key = make_key(name=nasty, description=nasty).key
    _change(key, last_used_at=timezone.now(), last_used_user_agent=nasty)

    assert nasty not in show(key).content.decode()
