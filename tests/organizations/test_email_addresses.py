"""Email addresses are compared exactly: look-alike letters belong to someone else."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from core.actors import Actor
from organizations import services
from organizations.models import Membership, Organization, User
from organizations.roles import Role
from tests.admin.support import enter
from tests.factories import PASSWORD, MembershipFactory, UserFactory

ROOT = Path(__file__).resolve().parents[2]
GENUINE = "owner.sick@bigcorp.example"
#: A dotless i, and a long s: PostgreSQL's UPPER makes ASCII letters of both.
LOOK_ALIKES = ["owner.sick@b\u0131gcorp.example", "owner.\u017fick@bigcorp.example"]

pytestmark = pytest.mark.django_db


@pytest.fixture(params=LOOK_ALIKES)
def look_alike(request: pytest.FixtureRequest) -> User:
    """Somebody with such an address, from a version that took it."""
    user = User(email=request.param)
    user.set_password(PASSWORD)
    user.save()
    user.mark_email_verified()
    return user


def test_the_command_makes_no_look_alike_an_admin(look_alike: User) -> None:
    call_command("create_organization", "Big", "--admin-email", GENUINE, stdout=StringIO())

    assert Membership.objects.get().user.email == GENUINE
    assert not look_alike.memberships.exists()


def test_the_form_of_staff_makes_no_look_alike_an_admin(staff: User, look_alike: User) -> None:
    add = "/admin/organizations/organization/add/"

    answer = enter(Client(), staff).post(add, {"name": "Big", "admin_email": GENUINE})

    assert "admin_email" in answer.context["adminform"].form.errors
    assert not Organization.objects.exists()


def test_a_look_alike_does_not_sign_in_for_another(look_alike: User) -> None:
    assert authenticate(username=GENUINE, password=PASSWORD) is None
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(GENUINE)


def test_a_look_alike_takes_no_address_of_another(staff: User, look_alike: User) -> None:
    form = {"email": GENUINE, "name": "Olga"}

    enter(Client(), staff).post("/admin/organizations/user/add/", form)

    assert User.objects.with_email(GENUINE).get() != look_alike


def test_a_look_alike_that_is_a_member_does_not_stop_an_invitation(
    acme: Organization, as_admin: Actor, look_alike: User
) -> None:
    MembershipFactory.create(organization=acme, user=look_alike, role=Role.MEMBER)

    invitation = services.invite(
        acme, email=GENUINE, role=Role.MEMBER, link=lambda token: token, actor=as_admin
    )

    assert invitation.email == GENUINE


@pytest.mark.parametrize("typed", [GENUINE.upper(), f" {GENUINE.title()} "])
def test_case_and_spaces_do_not_count(typed: str) -> None:
    user = UserFactory.create(email=typed)

    assert user.email == GENUINE
    assert User.objects.get_by_natural_key(typed) == user


def test_a_compatible_letter_of_a_domain_is_read_as_dns_reads_it() -> None:
    typed = "owner@\ufb01gcorp.example"

    assert User.objects.create_user(typed).email == "owner@figcorp.example"


def test_no_letter_before_the_at_sign_becomes_another() -> None:
    with pytest.raises(ValidationError, match="unaccented letters"):
        User.objects.create_user("\ufb01x@bigcorp.example")


def test_a_user_is_found_by_an_index() -> None:
    UserFactory.create_batch(3)

    plan = User.objects.with_email(GENUINE).explain()

    assert "email" in plan
    assert "UPPER" not in plan.upper()


@pytest.mark.parametrize("package", ["apikeys", "config", "organizations"])
def test_no_code_compares_by_the_case_rules_of_the_database(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))

    assert files
    assert [file for file in files if "iexact" in file.read_text()] == []
