"""Every page URL with every kind of caller, from the URL configuration."""

import re
from typing import Any, Final

import pytest
from django.test import Client

from core.actors import Actor
from organizations import services
from organizations.models import Membership, Organization, User
from organizations.roles import Role
from tests.factories import (
    SYSTEM,
    MembershipFactory,
)
from tests.pages.support import html, sign_in
from tests.pages.world import PAGES, SUBJECT_PAGES, Address
from tests.support.domain import nothing_written

#: Pages that members may look at, too.
FOR_MEMBERS: Final = {"general", "members", "templates"}
#: What members may do, too, and is tested with the other pages about people.
BY_MEMBERS: Final = ("organizations", "leave")


def _both(client: Client, address: str) -> list[Any]:
    return [client.get(address), client.post(address, {"name": "Changed", "enabled": "no"})]


def test_every_page_is_walked() -> None:
    assert len(PAGES) == 37


@pytest.mark.parametrize(("app", "name"), PAGES)
def test_signed_out_visitors_are_led_to_the_sign_in(address: Address, app: str, name: str) -> None:
    there = address(app, name)
    with nothing_written():
        answers = _both(Client(), there)

    for answer in answers:
        assert answer.status_code == 302
        assert answer["Location"] == f"/accounts/login/?next={there}"


@pytest.mark.parametrize(("app", "name"), [page for page in PAGES if page != BY_MEMBERS])
def test_members_are_refused_and_told_whom_to_ask(
    address: Address, member: User, app: str, name: str
) -> None:
    client = sign_in(member)
    with nothing_written():
        seen, sent = _both(client, address(app, name))

    if name in FOR_MEMBERS:
        assert seen.status_code == 200
        assert sent.status_code in (403, 405)
        return
    assert (seen.status_code, sent.status_code) in {(403, 403), (403, 405)}
    assert "Ada Acme" in html(seen)


@pytest.mark.parametrize(("app", "name"), PAGES)
def test_outsiders_learn_nothing(
    address: Address, outsider: User, globex: Organization, app: str, name: str
) -> None:
    client = sign_in(outsider)
    there, nowhere = address(app, name), address(app, name, slug="no-such-organization")
    with nothing_written():
        answers = _both(client, there)

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [_told(a) for a in answers] == [_told(a) for a in _both(client, nowhere)]


def _told(answer: Any) -> str:
    """What a page says, but for what is new or sent back in each response."""
    text: str = html(answer)
    text = re.sub(r'(name="(?:csrfmiddlewaretoken|next)" value=)"[^"]*"', r"\1", text)
    return text.replace(answer["X-Request-Id"], "")


@pytest.mark.parametrize(("app", "name"), PAGES)
def test_whoever_is_deactivated_is_signed_out(
    address: Address, admin: User, app: str, name: str
) -> None:
    client, there = sign_in(admin), address(app, name)
    admin.is_active = False
    admin.save()

    with nothing_written():
        answers = _both(client, there)

    to_sign_in = f"/accounts/login/?next={there}"
    # The first answer also takes the cookie away.
    assert [answer["Location"] for answer in answers] == [
        f"{to_sign_in}&signed_out=page",
        to_sign_in,
    ]


@pytest.mark.parametrize(("app", "name"), PAGES)
def test_whoever_was_removed_is_an_outsider(
    address: Address, acme: Organization, admin: User, app: str, name: str
) -> None:
    client, there = sign_in(admin), address(app, name)
    MembershipFactory.create(organization=acme, role=Role.ADMIN)
    mine = Membership.objects.get(organization=acme, user=admin)
    services.remove_member(mine, actor=SYSTEM)

    with nothing_written():
        answers = _both(client, there)

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize(("app", "name"), SUBJECT_PAGES)
def test_things_of_others_are_not_there(
    address: Address, outsider: User, globex: Organization, app: str, name: str
) -> None:
    there = address(app, name, slug=globex.slug)
    with nothing_written():
        answers = _both(sign_in(outsider), there)

    assert {answer.status_code for answer in answers} <= {404, 405}


@pytest.mark.parametrize(("app", "name"), PAGES)
def test_forms_need_a_token(address: Address, admin: User, app: str, name: str) -> None:
    client = sign_in(admin)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    with nothing_written():
        answer = strict.post(address(app, name), {"name": "Changed"})

    assert answer.status_code == 403
    assert "This form was not accepted" in html(answer)
    with_token = {"name": "Changed", "csrfmiddlewaretoken": _token(strict)}
    accepted = strict.post(address(app, name), with_token)
    assert accepted.streaming or "This form was not accepted" not in _told(accepted)


def _token(client: Client) -> str:
    """The token of a form that the person has open."""
    form = html(client.get("/organizations/new/"))
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert found
    return found[1]


def test_a_role_holds_from_the_next_request(
    address: Address, acme: Organization, admin: User, member: User
) -> None:
    client = sign_in(member)
    there = address("apikeys", "configuration")
    membership = Membership.objects.get(user=member)
    ada = Actor.person(admin.id, str(admin))

    before = client.get(there).status_code
    services.change_role(membership, role=Role.ADMIN, actor=ada)
    promoted = client.get(there).status_code
    services.change_role(membership, role=Role.MEMBER, actor=ada)
    demoted = client.get(there).status_code
    services.remove_member(membership, actor=ada)
    removed = client.get(there).status_code

    assert (before, promoted, demoted, removed) == (403, 200, 403, 404)
