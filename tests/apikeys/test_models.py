"""Models of keys and secrets."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apikeys import services
from apikeys.models import ApiKey, Status
from apikeys.services import Issued
from core import ids
from organizations.models import Organization
from tests.factories import SYSTEM, TemplateFactory
from tests.support.domain import acting

Make = Callable[..., Issued]


def test_the_status_now_follows_the_clock(make_key: Make) -> None:
    key = make_key(expires_at=timezone.now() + timedelta(days=1)).key

    assert key.status is Status.ACTIVE
    assert key.status_at(timezone.now() + timedelta(days=1)) is Status.EXPIRED


def test_a_key_is_shown_by_its_name_and_public_id(
    issued: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert str(issued.key) == "Crawler"
        assert ids.read_id("key", issued.key.public_id) == issued.key.id


def test_a_secret_is_shown_by_its_prefix_only(issued: Issued) -> None:
    shown = str(issued.key.current_secret)

    assert shown == f"{issued.secret[:13]}…"


def test_a_template_is_shown_by_its_name_and_public_id(acme: Organization) -> None:
    template = TemplateFactory.create(organization=acme, name="Preset")

    assert str(template) == "Preset"
    assert ids.read_id("tpl", template.public_id) == template.id


def test_the_displayed_prefix_is_the_newest_secrets(issued: Issued) -> None:
    newer = services.rotate_api_key(issued.key, actor=SYSTEM)

    assert ApiKey.objects.get().key_prefix == newer.secret[:13]
    assert ApiKey.objects.for_display().get().key_prefix == newer.secret[:13]


@pytest.mark.parametrize("environment", ["live", "test"])
def test_a_key_knows_whether_it_is_live(environment: str, make_key: Make) -> None:
    assert make_key(environment=environment).key.livemode is (environment == "live")


def test_a_disabled_key_is_not_enabled(issued: Issued) -> None:
    assert issued.key.enabled
    assert not services.set_api_key_enabled(issued.key, enabled=False, actor=SYSTEM).enabled


def test_the_id_of_what_was_deleted_is_not_used_again(acme: Organization) -> None:
    """AB74. Keys are never deleted; of what belongs to them, templates are."""
    template = TemplateFactory.create(organization=acme)
    used = template.id
    services.delete_template(template, actor=SYSTEM)

    assert TemplateFactory.create(organization=acme).id != used


def test_a_key_made_by_a_key_keeps_its_maker(manager: Issued, make_key: Make) -> None:
    child = make_key(actor=acting(manager)).key

    services.revoke_api_key(manager.key, actor=SYSTEM)

    child.refresh_from_db()
    assert child.created_by_key == manager.key
    assert child.status is Status.ACTIVE
