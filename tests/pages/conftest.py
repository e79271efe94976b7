"""Fixtures: clients signed in as users of Acme and Globex."""

from collections.abc import Callable

import pytest
from django.test import Client

from apikeys.services import Issued
from organizations.models import Membership, Organization, User
from tests.factories import InvitationFactory, ServiceAccountFactory, TemplateFactory
from tests.pages.support import sign_in
from tests.pages.world import Address, address_of


@pytest.fixture
def browser(acme: Organization, admin: User) -> Client:
    """The browser of Acme's admin, who has just signed in and been there."""
    client = sign_in(admin)
    client.get("/o/acme/settings/")
    return client


@pytest.fixture
def address(acme: Organization, member: User, make_key: Callable[..., Issued]) -> Address:
    """The address of a page of Acme, about something that is there."""
    subjects = {
        "slug": acme.slug,
        "key_id": make_key(name="Subject").key.public_id,
        "template_id": TemplateFactory.create(organization=acme).public_id,
        "member_id": Membership.objects.get(user=member).pk,
        "invitation_id": InvitationFactory.create(organization=acme).pk,
        "account_id": ServiceAccountFactory.create(organization=acme).public_id,
    }
    return lambda app, name, **others: address_of(app, name, {**subjects, **others})
