"""Fixtures: the organization Acme with keys in each state that operations start from."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apikeys import services
from apikeys.services import Issued
from organizations.models import Organization
from tests.apikeys.operations import World
from tests.factories import SYSTEM, ServiceAccountFactory, TemplateFactory


@pytest.fixture
def issued(make_key: Callable[..., Issued]) -> Issued:
    """An ordinary key of Acme: live, two scopes, no end."""
    return make_key(name="Crawler", scopes=["search:read", "events:read"])


@pytest.fixture
def world(acme: Organization, issued: Issued, make_key: Callable[..., Issued]) -> World:
    """Acme, its keys and a template."""
    disabled = make_key(name="Disabled", scopes=["search:read"]).key
    retired = make_key(name="Retired", scopes=["search:read"]).key
    services.rotate_api_key(retired, actor=SYSTEM, grace_period=timedelta(0))
    return World(
        acme=acme,
        key=issued.key,
        disabled=services.set_api_key_enabled(disabled, enabled=False, actor=SYSTEM),
        retired=retired,
        template=TemplateFactory.create(organization=acme, name="Preset"),
        account=ServiceAccountFactory.create(organization=acme, name="Robot"),
    )
