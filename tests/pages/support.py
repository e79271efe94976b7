"""Helpers for signing in and submitting forms."""

import re
from datetime import UTC, timedelta
from html import unescape
from typing import Any, Final

from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeySecret, KeyUsage
from core import transactions
from organizations.models import Organization, User
from tests.factories import PASSWORD

_BLOCKS: Final = "p|div|td|th|li|dd|dt|h[1-3]|option|summary|button"
RECORDS: Final = "account_authentication_methods"


def html(response: Any) -> str:
    """A page with the white space that browsers show: single, and none at the edges of blocks."""
    text = " ".join(response.content.decode().split())
    text = re.sub(rf"(<(?:{_BLOCKS})\b[^>]*>) ", r"\1", text)
    return re.sub(rf" (</(?:{_BLOCKS})>)", r"\1", text)


def sign_in(user: User, client: Client | None = None) -> Client:
    """A browser in which `user` has just signed in with the password."""
    client = client or Client()
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert response.status_code == 302, response.content.decode()
    return client


def grow_stale(client: Client) -> None:
    """Lets the sign-in be older than what sensitive changes ask for."""
    session = client.session
    session[RECORDS] = [{**record, "at": record["at"] - 16 * 60} for record in session[RECORDS]]
    session.save()


def told(response: Any) -> list[str]:
    """What the Activity page says of each event: the sentence, and after a dash its second line."""
    lines = []
    for event in re.findall(r'<li class="event">(.*?)</li>', html(response)):
        said = re.findall(r'<p(?: class="sub")?>(.*?)</p>', event)
        lines.append(" – ".join(unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in said))
    return lines


def listed_names(response: Any) -> list[str]:
    """The names in the key list, in its order."""
    return [row["key"].name for row in response.context["rows"]]


def developer(organization: Organization, rest: str = "") -> str:
    """An address under Settings → Developer."""
    return f"/o/{organization.slug}/settings/developer/{rest}"


def submission_of(response: Any) -> str:
    """The one-time id in a form."""
    found = re.search(r'name="submission" value="([^"]+)"', response.content.decode())
    assert found
    return found[1]


def secret_in(response: Any) -> str:
    """The one secret that a page holds."""
    found: list[str] = re.findall(r"sig_(?:live|test)_[0-9A-Za-z]{40}", response.content.decode())
    assert len(found) == 1
    return found[0]


def add_many_keys(acme: Organization, admin: User, count: int, start: int = 0) -> None:
    """Many keys at once, as the services would have left them."""
    keys = [
        ApiKey(
            organization=acme,
            name=f"Bulk {n:05}",
            name_key=f"bulk {n:05}",
            scopes=["search:read"],
            created_by=admin,
        )
        for n in range(start, start + count)
    ]
    secrets = [
        ApiKeySecret(key=key, digest=key.id.bytes * 2, pepper=1, prefix="sig_live_bulk")
        for key in keys
    ]
    with transactions.allowed():
        ApiKey.objects.bulk_create(keys, batch_size=2000)
        ApiKeySecret.objects.bulk_create(secrets, batch_size=2000)


def count_requests(key: ApiKey, days_ago: int, **results: int) -> None:
    """Counts requests, as the recorder would have."""
    hour = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for result, requests in results.items():
        KeyUsage.objects.create(
            key=key, hour=hour - timedelta(days=days_ago), result=result, requests=requests
        )
