"""A user's organizations: which one opens first, how to create one, and its first admin."""

import re

import pytest
from django.test import Client

from core.actors import Actor, RequestContext
from organizations import services
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.roles import Role
from organizations.services import organizations as limits
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.pages.support import html, sign_in
from tests.support.domain import at_once

NEW = "/organizations/new/"


def _text(client: Client, address: str) -> str:
    return html(client.get(address, follow=True))


def test_people_come_back_to_the_organization_that_they_visited_last(
    acme: Organization, admin: User
) -> None:
    zeta = OrganizationFactory.create(name="Zeta", admin=admin)
    client = sign_in(admin)

    first = client.get("/")["Location"]
    client.get(f"/o/{zeta.slug}/settings/members/")

    assert first == "/o/acme/settings/developer/"
    assert client.get("/")["Location"] == "/o/zeta/settings/developer/"


def test_nobody_is_led_to_an_organization_that_they_have_left(
    acme: Organization, admin: User
) -> None:
    zeta = OrganizationFactory.create(name="Zeta")
    MembershipFactory.create(organization=zeta, user=admin)
    client = sign_in(admin)
    client.get("/o/zeta/settings/")

    client.post("/o/zeta/settings/leave/")

    assert client.get("/")["Location"] == "/o/acme/settings/developer/"


def test_somebody_without_an_organization_makes_one(db: None) -> None:
    client = sign_in(UserFactory.create(email="nora@new.example"))

    page = _text(client, "/")
    made = client.post(NEW, {"name": " New Ventures "})

    assert "You're not in an organization yet" in page
    assert "nora@new.example" in page
    assert made["Location"] == "/o/new-ventures/settings/developer/"
    membership = Membership.objects.get()
    assert (membership.organization.name, membership.role) == ("New Ventures", Role.ADMIN)
    assert AuditEvent.objects.get(event="organization.created").actor_label == str(membership.user)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Enter a name for the organization."),
        ("x" * 117, "Use 100 characters or fewer. You have used 117."),
        ("a\u202eb", "Remove the control or text-direction characters."),
    ],
)
def test_names_that_cannot_be(browser: Client, name: str, message: str) -> None:
    answer = browser.post(NEW, {"name": name})

    assert answer.status_code == 422
    assert answer.context["form"].errors["name"] == [message]
    assert Organization.objects.count() == 1


def test_one_person_makes_so_many_and_no_more(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_ORGANIZATIONS", 2)

    answers = [browser.post(NEW, {"name": name}) for name in ("Two", "Three")]

    assert [answer.status_code for answer in answers] == [303, 422]
    assert "You are already an admin of 2 organizations." in html(answers[1])
    assert Organization.objects.count() == 2


def test_requests_at_once_are_counted(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ORGANIZATIONS", 2)
    person = UserFactory.create()
    actor = Actor.person(person.id, str(person), RequestContext("req_test"))

    outcomes = at_once([lambda: services.create_own_organization(name="Many", actor=actor)] * 4)

    assert Organization.objects.count() == 2
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 2


def test_signed_out_visitors_sign_in_first(db: None) -> None:
    for answer in (Client().get(NEW), Client().post(NEW, {"name": "Mine"})):
        assert answer["Location"].startswith("/accounts/login/")
    assert not Organization.objects.exists()


def test_making_one_needs_a_token(acme: Organization, admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)

    assert client.post(NEW, {"name": "Forged"}).status_code == 403
    assert Organization.objects.count() == 1


def test_two_who_rename_it_at_once(browser: Client, acme: Organization) -> None:
    seen = browser.get("/o/acme/settings/").context["form"].initial["seen"]
    browser.post("/o/acme/settings/", {"name": "Acme Works", "seen": seen})

    late = browser.post("/o/acme/settings/", {"name": "Acme & Sons", "seen": seen})
    form = late.context["form"]
    again = browser.post("/o/acme/settings/", {"name": "Acme & Sons", "seen": form["seen"].value()})

    assert late.status_code == 422
    assert "Someone changed this organization while you were editing." in html(late)
    assert late.context["theirs"] == [("Organization name", "Acme Works")]
    assert form["name"].value() == "Acme & Sons"
    assert again.status_code == 303
    assert Organization.objects.get().name == "Acme & Sons"


def test_members_are_shown_no_way_into_pages_that_refuse_them(
    acme: Organization, member: User
) -> None:
    client = sign_in(member)
    pages = [client.get(f"/o/acme/settings/{rest}") for rest in ("", "members/")]
    pages.append(client.get("/o/acme/settings/developer/templates/"))

    links = {link for page in pages for link in re.findall(r'href="(/o/[^"]+)"', html(page))}
    assert "/o/acme/settings/developer/templates/" in links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
