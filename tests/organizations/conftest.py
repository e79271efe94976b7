"""Acme with everything that an operation on an organization needs."""

from collections.abc import Callable

import pytest

from apikeys.services import Issued
from organizations.actors import Actor
from organizations.models import Membership, Organization, User
from tests.conftest import ALL_SCOPES
from tests.domain import actor_called
from tests.factories import ServiceAccountFactory, UserFactory
from tests.organizations.operations import World


@pytest.fixture
def act_as(request: pytest.FixtureRequest) -> Callable[[str], Actor]:
    """The actor who plays a part, by the name of its fixture."""
    return lambda part: actor_called(part, request)


@pytest.fixture
def tester(make_key: Callable[..., Issued]) -> Issued:
    """Acme's test key with every scope."""
    return make_key(name="Tester", scopes=ALL_SCOPES, environment="test")


@pytest.fixture
def world(acme: Organization, admin: User, member: User) -> World:
    """Acme, its people, somebody who is to join, and a service account."""
    return World(
        acme=acme,
        admin=admin,
        newcomer=UserFactory.create(email="nina@acme.example", name="Nina New"),
        membership=Membership.objects.get(organization=acme, user=member),
        account=ServiceAccountFactory.create(
            organization=acme, name="Robot", description="Runs at night."
        ),
    )
