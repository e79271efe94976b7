"""Models of users, organizations and memberships."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from core import ids
from organizations.models import Organization, ServiceAccount, User
from tests.factories import PASSWORD, ServiceAccountFactory


@pytest.mark.django_db
def test_a_person_is_known_by_a_lower_case_address() -> None:
    user = User.objects.create_user("  Eve@Example.COM ", PASSWORD)

    assert user.email == "eve@example.com"
    assert user.check_password(PASSWORD)
    assert not user.is_staff


@pytest.mark.parametrize("typed", ["ada@acme.example", "ADA@Acme.Example", " ada@acme.example "])
def test_a_person_signs_in_whatever_the_case_of_the_address(typed: str, admin: User) -> None:
    assert User.objects.get_by_natural_key(typed) == admin


def test_nobody_has_no_address(admin: User) -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ADA@ACME.EXAMPLE", "a\x00@acme.example"])
def test_an_address_that_is_none_or_taken_is_refused(email: str, admin: User) -> None:
    with pytest.raises(ValidationError):
        User.objects.create_user(email)


@pytest.mark.django_db
def test_without_a_password_nobody_signs_in_by_one() -> None:
    assert not User.objects.create_user("eve@example.com").has_usable_password()


@pytest.mark.django_db
def test_a_superuser_is_staff() -> None:
    user = User.objects.create_superuser("root@example.com", PASSWORD)

    assert (user.is_staff, user.is_superuser) == (True, True)


def test_a_person_in_an_organization_cannot_be_deleted(acme: Organization, admin: User) -> None:
    with pytest.raises(ProtectedError):
        admin.delete()


def test_people_are_shown_by_name_or_else_by_address(admin: User) -> None:
    assert str(admin) == "Ada Acme"
    admin.name = ""
    assert str(admin) == "ada@acme.example"


def test_public_ids_name_their_kind(acme: Organization, admin: User) -> None:
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme, name="Robot")

    assert ids.read_id("usr", admin.public_id) == admin.id
    assert ids.read_id("org", acme.public_id) == acme.id
    assert ids.read_id("sa", account.public_id) == account.id
    assert str(account) == "Robot"
