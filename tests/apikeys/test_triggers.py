"""Invalid changes to keys that the database rejects, also in SQL that bypasses the code."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey, ApiKeySecret, KeyTemplate
from apikeys.services import Issued
from core import ids
from core.transactions import allowed
from organizations.models import Organization, ServiceAccount
from tests.factories import SYSTEM, ServiceAccountFactory, TemplateFactory

Make = Callable[..., Issued]


def _update(model: type[Any], **changes: Any) -> int:
    with allowed(), transaction.atomic():
        return int(model.objects.update(**changes))


def _add_secret(key: ApiKey, **fields: Any) -> None:
    with allowed(), transaction.atomic():
        ApiKeySecret.objects.create(
            key=key, digest=ids.new_id().bytes * 2, pepper=1, prefix="sig_live_a1b2", **fields
        )


@pytest.fixture
def revoked(issued: Issued) -> ApiKey:
    """A revoked key."""
    return services.revoke_api_key(issued.key, actor=SYSTEM)


@pytest.fixture
def retired(issued: Issued) -> ApiKeySecret:
    """A secret that works for another hour."""
    services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=timedelta(hours=1))
    return ApiKeySecret.objects.exclude(ends_at=None).get()


@pytest.mark.parametrize("when", [None, timezone.now() + timedelta(days=1)])
def test_a_revoked_key_stays_revoked(when: Any, revoked: ApiKey) -> None:
    with pytest.raises(IntegrityError, match="a_revoked_key_stays_revoked"):
        _update(ApiKey, revoked_at=when)


def test_a_revoked_key_may_still_change_otherwise(revoked: ApiKey) -> None:
    assert _update(ApiKey, description="Leaked.") == 1


def test_a_key_stays_in_its_organization(issued: Issued, globex: Organization) -> None:
    with pytest.raises(IntegrityError, match="a_key_stays_where_it_is"):
        _update(ApiKey, organization=globex)


def test_a_key_stays_in_its_environment(issued: Issued) -> None:
    with pytest.raises(IntegrityError, match="a_key_stays_where_it_is"):
        _update(ApiKey, environment="test")


def test_an_environment_that_does_not_exist_is_refused(acme: Organization) -> None:
    with pytest.raises(IntegrityError, match="environment_is_known"), allowed():
        ApiKey.objects.create(organization=acme, name="x", name_key="x", environment="prod")


def test_a_key_gets_no_service_account_of_another_organization(
    issued: Issued, globex: Organization
) -> None:
    foreign = ServiceAccountFactory.create(organization=globex)

    with pytest.raises(IntegrityError, match="share_an_organization"):
        _update(ApiKey, service_account=foreign)


def test_a_key_is_not_made_with_a_service_account_of_another_organization(
    acme: Organization, globex: Organization
) -> None:
    foreign = ServiceAccountFactory.create(organization=globex)

    with pytest.raises(IntegrityError, match="share_an_organization"), allowed():
        ApiKey.objects.create(organization=acme, name="x", name_key="x", service_account=foreign)


@pytest.mark.parametrize("model", [ApiKey, KeyTemplate, ServiceAccount])
def test_nothing_is_without_an_organization(model: type[Any], db: None) -> None:
    """AB06."""
    with pytest.raises(IntegrityError, match="organization_id"), allowed():
        model.objects.create(name="x", name_key="x")


def test_a_key_may_have_a_service_account_of_its_organization(
    issued: Issued, acme: Organization
) -> None:
    assert _update(ApiKey, service_account=ServiceAccountFactory.create(organization=acme)) == 1


@pytest.mark.parametrize("later", [None, timedelta(seconds=1), timedelta(days=1)])
def test_a_retired_secret_is_neither_revived_nor_prolonged(
    later: timedelta | None, retired: ApiKeySecret
) -> None:
    assert retired.ends_at
    with allowed():
        ApiKeySecret.objects.current().delete()
    ends_at = retired.ends_at + later if later else None

    with pytest.raises(IntegrityError, match="a_retired_secret_stays_retired"):
        _update(ApiKeySecret, ends_at=ends_at)


def test_a_retired_secret_may_end_earlier(retired: ApiKeySecret) -> None:
    with allowed():
        changed = ApiKeySecret.objects.filter(pk=retired.pk).update(ends_at=timezone.now())

    assert changed == 1


def test_a_secret_stays_with_its_key(issued: Issued, make_key: Make) -> None:
    other = make_key().key

    with pytest.raises(IntegrityError, match="a_retired_secret_stays_retired"), allowed():
        ApiKeySecret.objects.filter(key=issued.key).update(key=other)


@pytest.mark.parametrize("ends_at", [None, timezone.now() + timedelta(days=1)])
def test_a_revoked_key_gets_no_secret(ends_at: Any, revoked: ApiKey) -> None:
    with pytest.raises(IntegrityError, match="a_revoked_key_gets_no_secret"):
        _add_secret(revoked, ends_at=ends_at)


def test_a_key_has_one_current_secret(issued: Issued) -> None:
    with pytest.raises(IntegrityError, match=r"one_current_secret_per_key|key_id"):
        _add_secret(issued.key)


def test_a_digest_is_stored_once(issued: Issued, make_key: Make) -> None:
    digest = bytes(issued.key.current_secret.digest)
    make_key()

    with pytest.raises(IntegrityError, match="digest"):
        _update(ApiKeySecret, digest=digest)


def _add_key(organization: Organization, name_key: str) -> None:
    with allowed(), transaction.atomic():
        ApiKey.objects.create(organization=organization, name="x", name_key=name_key)


def test_two_unrevoked_keys_of_an_organization_never_share_a_name(
    issued: Issued, acme: Organization
) -> None:
    with pytest.raises(IntegrityError, match=r"one_live_key_per_name|name_key"):
        _add_key(acme, issued.key.name_key)


def test_a_revoked_key_leaves_its_name_to_others(revoked: ApiKey, acme: Organization) -> None:
    _add_key(acme, revoked.name_key)

    assert ApiKey.objects.filter(name_key=revoked.name_key).count() == 2


def test_templates_of_an_organization_never_share_a_name(acme: Organization) -> None:
    template = TemplateFactory.create(organization=acme)

    with pytest.raises(IntegrityError, match=r"one_template_per_name|name_key"), allowed():
        KeyTemplate.objects.create(organization=acme, name="x", name_key=template.name_key)


def test_sql_past_the_models_is_refused_as_well(revoked: ApiKey) -> None:
    with (
        pytest.raises(IntegrityError, match="a_revoked_key_stays_revoked"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE apikeys_apikey SET revoked_at = NULL")
