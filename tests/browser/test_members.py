"""The member list and the sign-in in a browser: size, changes in place, dialogs, alignment."""

from typing import TYPE_CHECKING

import pytest

from organizations.models import Membership, Organization, User
from organizations.roles import Role
from tests.browser.conftest import OpenPage
from tests.factories import InvitationFactory, MembershipFactory, UserFactory

if TYPE_CHECKING:
    from playwright.sync_api import Page

MEMBERS = "/o/acme/settings/members/"


def _height(page: "Page") -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


def test_200_members_fit_three_screens(sign_in: OpenPage, acme: Organization) -> None:
    for number in range(199):
        user = UserFactory.create(name=f"Person {number:03}")
        MembershipFactory.create(organization=acme, user=user)
    InvitationFactory.create(organization=acme)
    page = sign_in(viewport={"width": 1280, "height": 900})

    page.goto(MEMBERS)

    assert page.get_by_text("1–25 of 200 members").is_visible()
    box = page.get_by_role("link", name="Invite a member").bounding_box()
    assert box
    assert box["y"] < 120
    assert _height(page) <= 3 * 900


def test_a_role_is_saved_when_it_is_chosen(
    sign_in: OpenPage, acme: Organization, member: User
) -> None:
    page = sign_in()
    page.goto(f"{MEMBERS}?q=max")

    page.get_by_label("Role of Max Member", exact=True).select_option("admin")

    page.get_by_text("Max Member is now an admin.").wait_for()
    assert page.url.endswith("?q=max")
    assert Membership.objects.get(user=member).role == Role.ADMIN


def test_without_scripts_a_button_saves_the_role(
    sign_in: OpenPage, acme: Organization, member: User
) -> None:
    page = sign_in(java_script_enabled=False)
    page.goto(MEMBERS)

    page.get_by_label("Role of Max Member", exact=True).select_option("admin")
    page.get_by_role("button", name="Save the role of Max Member").click()

    assert page.get_by_text("Max Member is now an admin.").is_visible()


def test_inviting_in_a_dialog_shows_the_invitation_in_the_list(
    sign_in: OpenPage, acme: Organization
) -> None:
    page = sign_in()
    page.goto(MEMBERS)

    page.get_by_role("link", name="Invite a member").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Email address").fill("dana@acme.example")
    dialog.get_by_role("button", name="Send invitation").click()

    page.get_by_text("Invitation sent to dana@acme.example.").wait_for()
    page.get_by_role("button", name="Resend the invitation of dana@acme.example").wait_for()


@pytest.mark.parametrize("width", [1280, 1000])
def test_invitations_share_the_columns_of_the_members(
    sign_in: OpenPage, acme: Organization, member: User, width: int
) -> None:
    InvitationFactory.create(organization=acme)
    page = sign_in(viewport={"width": width, "height": 900})
    page.goto(MEMBERS)

    lefts = page.evaluate("""() => [...document.querySelectorAll("table.people")].map((table) =>
      [...table.querySelector("tbody tr").cells].slice(0, 3).map((cell) =>
        Math.round(cell.getBoundingClientRect().left)))""")

    members, invitations = lefts
    assert max(abs(one - other) for one, other in zip(members, invitations, strict=True)) <= 2


def test_what_was_typed_as_a_password_can_be_seen(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/accounts/login/")
    field, eye = page.locator("#id_password"), page.get_by_role("button", name="Show password")
    field.fill("correct horse")

    eye.click()
    shown = field.get_attribute("type")
    eye.click()

    assert (shown, field.get_attribute("type")) == ("text", "password")
    assert eye.get_attribute("aria-pressed") == "false"


def test_a_page_that_is_not_found_leads_back(sign_in: OpenPage) -> None:
    page = sign_in()
    page.goto(MEMBERS)
    page.goto("/nothing-here")

    page.get_by_role("button", name="Go back").click()

    page.wait_for_url(f"**{MEMBERS}")
