"""Creating API keys."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apikeys import services, tokens
from apikeys.models import ApiKey, Status
from apikeys.services import Issued
from apikeys.verification.verify import verify
from core.exceptions import Conflict, ErrorCode, Invalid
from organizations import services as organization_services
from organizations.models import AuditEvent, Organization, User
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.domain import acting, every_row, person

Make = Callable[..., Issued]


def test_a_new_key_holds_what_was_given(acme: Organization, admin: User) -> None:
    account = ServiceAccountFactory.create(organization=acme)
    end = timezone.now() + timedelta(days=30)

    issued = services.create_api_key(
        organization=acme,
        actor=person(admin),
        name="  Nightly import ",
        scopes=["search:read"],
        environment="test",
        expires_at=end,
        description=" Imports. ",
        metadata={"costCenter": " 42 "},
        service_account=account,
    )

    key = ApiKey.objects.get(pk=issued.key.pk)
    assert (key.name, key.description) == ("Nightly import", "Imports.")
    assert (key.scopes, key.metadata) == (["search:read"], {"costCenter": " 42 "})
    assert (key.environment, key.expires_at) == ("test", end)
    assert (key.organization, key.service_account) == (acme, account)
    assert (key.created_by, key.created_by_key) == (admin, None)
    assert key.status is Status.ACTIVE


def test_the_secret_is_returned_once_and_stored_as_a_digest_only(issued: Issued) -> None:
    secret = issued.key.secrets.get()

    assert tokens.is_well_formed(issued.secret)
    assert secret.prefix == issued.key.key_prefix == tokens.displayed_prefix(issued.secret)
    assert len(bytes(secret.digest)) == 32
    assert issued.secret not in str(every_row())
    assert issued.secret not in repr(issued) + str(issued.key) + str(secret)


def test_the_new_secret_works_at_once(issued: Issued) -> None:
    outcome = verify(issued.secret)

    assert outcome.refusal is None
    assert outcome.found
    assert outcome.found.key_id == issued.key.id


@pytest.mark.parametrize("environment", ["live", "test"])
def test_the_secret_names_its_environment(environment: str, make_key: Make) -> None:
    issued = make_key(environment=environment)

    assert issued.secret.startswith(f"sig_{environment}_")


def test_a_key_of_another_brand_works(settings: Any, make_key: Make) -> None:
    before = make_key()
    settings.API_KEY_BRAND = "sk"

    after = make_key()

    assert after.secret.startswith("sk_live_")
    assert verify(before.secret).refusal is None
    assert verify(after.secret).refusal is None


def test_a_key_is_live_without_limits_unless_told_otherwise(make_key: Make) -> None:
    key = make_key().key

    assert key.livemode
    assert key.expires_at is None
    assert key.metadata == {}
    assert key.scopes == ["trademarks:read", "search:read", "portfolios:manage", "events:read"]


def test_a_key_made_by_a_key_names_it_and_the_person_behind_it(
    acme: Organization, admin: User, make_key: Make
) -> None:
    maker = make_key(name="Maker", scopes=ALL_SCOPES, actor=person(admin))

    child = make_key(actor=acting(maker)).key

    assert child.created_by_key == maker.key
    assert child.created_by == admin


def test_the_event_says_what_was_made_but_not_the_secret(issued: Issued) -> None:
    event = AuditEvent.objects.get(event="api_key.created")

    assert event.details == {
        "prefix": issued.key.key_prefix,
        "scopes": ["search:read", "events:read"],
        "environment": "live",
    }


@pytest.mark.parametrize("name", ["Crawler", "CRAWLER", " crawler ", "Crawler\u00a0"])
def test_a_name_is_taken_whatever_its_case_or_margin(
    name: str, issued: Issued, make_key: Make
) -> None:
    before = every_row()

    with pytest.raises(Conflict, match="already exists") as refusal:
        make_key(name=name)

    assert refusal.value.code is ErrorCode.NAME_TAKEN
    assert every_row() == before


def test_a_name_is_taken_whatever_its_composition(make_key: Make) -> None:
    make_key(name="Café")

    with pytest.raises(Conflict):
        make_key(name="CAFE\u0301")


def test_the_name_of_a_disabled_key_stays_taken(make_key: Make) -> None:
    services.set_api_key_enabled(make_key(name="Off").key, enabled=False, actor=SYSTEM)

    with pytest.raises(Conflict):
        make_key(name="off")


def test_a_name_is_free_again_after_revocation(issued: Issued, make_key: Make) -> None:
    services.revoke_api_key(issued.key, actor=SYSTEM)

    again = make_key(name="Crawler")

    assert again.key.id != issued.key.id


def test_names_of_another_organization_do_not_matter(
    issued: Issued, globex: Organization, make_key: Make
) -> None:
    assert make_key(name="Crawler", organization=globex).key.name == "Crawler"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["search"]}, "scopes.0"),
        ({"description": "n" * 501}, "description"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": []}, "metadata"),
        ({"metadata": [["a", "b"]]}, "metadata"),
        ({"metadata": "text"}, "metadata"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": 0}, "metadata"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
        ({"environment": "prod"}, "key_type"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_is_left(
    fields: dict[str, Any], field: str, acme: Organization, make_key: Make
) -> None:
    before = every_row()

    with pytest.raises(Invalid) as refusal:
        make_key(**fields)

    assert [problem.field for problem in refusal.value.problems] == [field]
    assert every_row() == before


def test_a_service_account_of_another_organization_is_refused_like_a_disabled_one(
    acme: Organization, globex: Organization, make_key: Make
) -> None:
    """AB04: nothing says that it exists elsewhere."""
    foreign = ServiceAccountFactory.create(organization=globex)
    disabled = ServiceAccountFactory.create(organization=acme)
    disabled = organization_services.set_service_account_enabled(
        disabled, enabled=False, actor=SYSTEM
    )

    with pytest.raises(Invalid) as one:
        make_key(service_account=foreign)
    with pytest.raises(Invalid) as other:
        make_key(service_account=disabled)

    assert one.value.problems == other.value.problems
