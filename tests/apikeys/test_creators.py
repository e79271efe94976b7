"""AB73: a key belongs to its organization and outlasts its creator's membership."""

from collections.abc import Callable

import pytest

from apikeys.models import ApiKey, Status
from apikeys.services import Issued
from apikeys.verification.verify import verify
from organizations import services as organization_services
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.roles import Role
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, MembershipFactory, UserFactory
from tests.support.domain import ORIGIN, acting, person
from tests.support.last_used import note_use

Make = Callable[..., Issued]


@pytest.fixture
def creator(acme: Organization) -> User:
    """A second admin of Acme."""
    user = UserFactory.create(email="carl@acme.example", name="Carl Creator")
    MembershipFactory.create(organization=acme, user=user, role=Role.ADMIN)
    return user


@pytest.fixture
def left_behind(creator: User, make_key: Make) -> Issued:
    """A managing key that the second admin made."""
    return make_key(name="Left behind", scopes=ALL_SCOPES, actor=person(creator))


def _deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def _remove(user: User) -> None:
    organization_services.remove_member(Membership.objects.get(user=user), actor=SYSTEM)


def _delete(user: User) -> None:
    _remove(user)
    user.delete()


@pytest.mark.parametrize("leave", [_deactivate, _remove, _delete])
def test_a_key_goes_on_working_and_managing_when_its_creator_leaves(
    leave: Callable[[User], None], creator: User, left_behind: Issued, make_key: Make
) -> None:
    leave(creator)

    outcome = verify(left_behind.secret)
    assert outcome.refusal is None
    assert outcome.found
    note_use(outcome.found, left_behind.secret, ORIGIN)
    key = ApiKey.objects.for_display().get(pk=left_behind.key.pk)
    assert key.status is Status.ACTIVE
    child = make_key(actor=acting(Issued(key, left_behind.secret))).key
    assert child.created_by_key == key


def test_the_trail_still_names_a_creator_who_was_deleted(
    creator: User, left_behind: Issued
) -> None:
    creator_id = creator.id
    _delete(creator)

    left_behind.key.refresh_from_db()
    assert left_behind.key.created_by is None
    event = AuditEvent.objects.get(target_id=left_behind.key.id)
    assert (event.actor_id, event.actor_label) == (creator_id, "Carl Creator")


def test_somebody_new_with_the_same_address_inherits_nothing(
    creator: User, left_behind: Issued
) -> None:
    """AB74."""
    _delete(creator)

    again = UserFactory.create(email="carl@acme.example", name="Carl Creator")

    assert not ApiKey.objects.visible_to(person(again)).exists()
