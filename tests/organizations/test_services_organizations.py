"""Services that create and change organizations."""

import pytest

from core.exceptions import Invalid
from core.transactions import allowed
from organizations import services
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.roles import Role
from tests.factories import SYSTEM, OrganizationFactory
from tests.support.domain import nothing_written


def test_a_new_organization_has_its_first_admin_and_a_slug(admin: User) -> None:
    organization = services.create_organization(name=" Blue Sky ", admin=admin, actor=SYSTEM)

    assert (organization.name, organization.slug) == ("Blue Sky", "blue-sky")
    assert organization.api_access_enabled
    assert (organization.rate_limit_tier, organization.key_limit) == ("standard", None)
    membership = Membership.objects.get(organization=organization)
    assert (membership.user, membership.role) == (admin, Role.ADMIN)


def test_the_event_of_a_new_organization_names_its_admin(acme: Organization, admin: User) -> None:
    """By id, which says nothing of the person once they are forgotten."""
    event = AuditEvent.objects.get(target_id=acme.id)

    assert event.details == {"admin": admin.public_id}


def test_organizations_of_one_name_get_slugs_of_their_own(acme: Organization) -> None:
    other = OrganizationFactory.create(name="ACME")

    assert other.slug.startswith("acme-")
    assert other.slug != acme.slug


@pytest.mark.parametrize("name", ["東京", "…", "🚀"])
def test_a_name_without_latin_letters_still_gets_a_slug(name: str, admin: User) -> None:
    organization = OrganizationFactory.create(name=name, admin=admin)

    assert organization.slug.startswith("organization-")


def test_the_longest_name_twice_still_fits_the_slug(admin: User) -> None:
    slugs = {OrganizationFactory.create(name="n" * 100, admin=admin).slug for _ in range(2)}

    assert len(slugs) == 2
    assert max(map(len, slugs)) <= 60


def test_a_name_that_cannot_be_shown_makes_no_organization(admin: User) -> None:
    with pytest.raises(Invalid):
        services.create_organization(name="\u202eevil", admin=admin, actor=SYSTEM)

    assert not Organization.objects.exists()


def test_renaming_keeps_the_slug_and_tells_both_names(acme: Organization) -> None:
    services.rename_organization(acme, name="Acme Two", actor=SYSTEM)

    acme.refresh_from_db()
    assert (acme.name, acme.slug) == ("Acme Two", "acme")
    assert AuditEvent.objects.latest("id").details == {"name": ["Acme", "Acme Two"]}


def test_renaming_starts_from_the_row_and_not_from_what_the_caller_holds(
    acme: Organization,
) -> None:
    stale = Organization.objects.get(pk=acme.pk)
    services.set_api_access(acme, enabled=False, actor=SYSTEM)

    renamed = services.rename_organization(stale, name="Acme Two", actor=SYSTEM)

    assert not renamed.api_access_enabled
    assert not Organization.objects.get(pk=acme.pk).api_access_enabled


def test_api_access_is_switched_off_and_on_again(acme: Organization) -> None:
    off = services.set_api_access(acme, enabled=False, actor=SYSTEM)
    on = services.set_api_access(acme, enabled=True, actor=SYSTEM)

    assert not off.api_access_enabled
    assert on.api_access_enabled
    names = AuditEvent.objects.order_by("id").values_list("event", flat=True)
    assert list(names)[-2:] == [
        "organization.api_access_disabled",
        "organization.api_access_enabled",
    ]


def test_a_tier_that_does_not_exist_is_refused_with_the_ones_that_do(acme: Organization) -> None:
    with pytest.raises(Invalid, match="standard, high, maximum") as refusal:
        services.set_rate_limit_tier(acme, tier="unlimited", actor=SYSTEM)

    assert refusal.value.problems[0].field == "rate_limit_tier"
    acme.refresh_from_db()
    assert acme.rate_limit_tier == "standard"


def test_an_organization_on_a_tier_of_the_past_can_be_moved(acme: Organization) -> None:
    with allowed():
        Organization.objects.filter(pk=acme.pk).update(rate_limit_tier="gone")

    moved = services.set_rate_limit_tier(acme, tier="high", actor=SYSTEM)

    assert moved.rate_limit_tier == "high"
    assert AuditEvent.objects.latest("id").details == {"rate_limit_tier": ["gone", "high"]}


def test_a_limit_of_keys_is_set_changed_and_taken_back(acme: Organization) -> None:
    limits = [5, 0, None]

    kept = [services.set_key_limit(acme, limit=n, actor=SYSTEM).key_limit for n in limits]

    acme.refresh_from_db()
    assert (kept, acme.key_limit) == (limits, None)
    events = AuditEvent.objects.filter(event="organization.key_limit_changed").order_by("id")
    assert [event.details["key_limit"] for event in events] == [[None, 5], [5, 0], [0, None]]


@pytest.mark.parametrize("limit", [-1, 1_000_000_000])
def test_a_limit_that_is_none_is_refused(limit: int, acme: Organization) -> None:
    with nothing_written(), pytest.raises(Invalid, match="from 0 to 999,999,999") as refusal:
        services.set_key_limit(acme, limit=limit, actor=SYSTEM)

    assert refusal.value.problems[0].field == "key_limit"
