"""Acme with everything that an operation on an organization needs."""

import pytest

from organizations.models import Membership, Organization, User
from tests.factories import InvitationFactory, ServiceAccountFactory, UserFactory
from tests.organizations.operations import World


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
        invitation=InvitationFactory.create(organization=acme, email="dana@acme.example"),
    )
