"""Malicious inputs to every field of the settings pages: no 5xx, and lists still work."""

from typing import Any, Final

import pytest
from django.test import Client

from apikeys.services import Issued
from organizations.models import Organization
from tests.pages.conftest import address, browser
from tests.pages.world import Address
from tests.security.hostile.texts import TEXTS
from tests.support.client import ApiClient
from tests.support.dialects import DIALECTS

__all__ = ["address", "browser"]
FORMS: Final[list[tuple[str, str, tuple[str, ...]]]] = [
    (
        *("apikeys", "create"),
        (
            *("name", "submission", "template", "environment", "permissions", "scopes"),
            *("service_account", "expires", "expires_on", "description"),
        ),
    ),
    ("apikeys", "edit", ("name", "description", "scopes", "expires_at", "seen")),
    ("apikeys", "rotate", ("submission", "grace")),
    ("apikeys", "delete", ("typed", "cascade")),
    ("apikeys", "delete-many", ("key", "typed", "cascade")),
    ("apikeys", "template-create", ("name", "description", "scopes", "lifetime_days")),
    ("apikeys", "template-edit", ("name", "scopes", "lifetime_days", "seen")),
    ("apikeys", "service-account-create", ("name", "description")),
    ("apikeys", "service-account-edit", ("name", "description", "seen")),
    ("apikeys", "test", ("key",)),
    ("organizations", "members", ("email", "role")),
    ("organizations", "general", ("name",)),
    ("organizations", "default-expiry", ("default_key_days", "seen")),
]
#: What the other fields hold while one is tried.
GOOD: Final = {
    "name": "Good",
    "submission": "00000000-0000-4000-8000-000000000000",
    "environment": "live",
    "permissions": "all",
    "email": "good@example.com",
    "role": "member",
}


def _lists_that_do_not_read(
    call: ApiClient, acme: Organization, key: Issued, browser: Client
) -> list[str]:
    lists = [dialect.keys(acme) for dialect in DIALECTS]
    pages = [f"/o/{acme.slug}/settings/developer/", f"/o/{acme.slug}/settings/members/"]
    failed = [path for path in lists if call("GET", path, key=key).status != 200]
    return failed + [path for path in pages if browser.get(path).status_code != 200]


@pytest.mark.parametrize(("app", "name", "fields"), FORMS)
def test_no_text_in_a_form_is_an_error_of_the_server(
    address: Address,
    browser: Client,
    call: ApiClient,
    acme: Organization,
    manager: Issued,
    app: str,
    name: str,
    fields: tuple[str, ...],
) -> None:
    there = address(app, name)
    browser.raise_request_exception = False
    wrong: list[tuple[str, Any, Any]] = []
    for field in fields:
        for text in TEXTS:
            status = browser.post(there, {**GOOD, field: text}).status_code
            if status >= 500:
                wrong.append((field, text[:40], status))
        unread = _lists_that_do_not_read(call, acme, manager, browser)
        wrong += [(field, "afterwards", path) for path in unread]

    assert wrong == []
