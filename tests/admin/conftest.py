"""Fixtures for the staff admin: clients signed in as staff."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from organizations.models import User
from tests.admin.support import IP, enter
from tests.factories import UserFactory

BrowserOf = Callable[..., Client]


@pytest.fixture
def browser(staff: User) -> Client:
    """The browser of somebody who may do everything."""
    return enter(Client(REMOTE_ADDR=IP), staff)


@pytest.fixture
def clerk(db: None) -> User:
    """A member of staff without any permission."""
    return UserFactory.create(email="cleo@latchkey.example", name="Cleo Clerk", is_staff=True)


@pytest.fixture
def clerk_with(clerk: User) -> BrowserOf:
    """The browser of a member of staff who has the named permissions and no other."""

    def make(*codenames: str) -> Client:
        clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return enter(Client(REMOTE_ADDR=IP), clerk)

    return make
