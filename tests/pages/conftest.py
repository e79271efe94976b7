"""Browsers of the people of Acme and Globex."""

import pytest
from django.test import Client

from organizations.models import Organization, User
from tests.pages.support import sign_in


@pytest.fixture
def browser(acme: Organization, admin: User) -> Client:
    """The browser of Acme's admin, who has just signed in and been there."""
    client = sign_in(admin)
    client.get("/o/acme/settings/")
    return client
