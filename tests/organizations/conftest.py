"""Fixtures: the organization Acme with everything that operations need."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession

from organizations.models import Membership, Organization, User
from tests.factories import InvitationFactory, ServiceAccountFactory, UserFactory
from tests.organizations.operations import World


@pytest.fixture
def world(acme: Organization, admin: User, member: User) -> World:
    """Acme, its people, somebody who is to join and is signed in, and a service account."""
    newcomer = UserFactory.create(email="nina@acme.example", name="Nina New")
    UserSession.objects.create(user=newcomer, ip="203.0.113.4", session_key=32 * "n")
    TOTP.activate(newcomer, generate_totp_secret())
    return World(
        acme=acme,
        admin=admin,
        newcomer=newcomer,
        membership=Membership.objects.get(organization=acme, user=member),
        account=ServiceAccountFactory.create(
            organization=acme, name="Robot", description="Runs at night."
        ),
        invitation=InvitationFactory.create(organization=acme, email="dana@acme.example"),
    )
