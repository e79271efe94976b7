"""Members: roles, invitations, leaving and removing."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from apikeys import services as key_services
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations import services
from organizations.models import Invitation, Membership, Organization, User
from organizations.roles import Role
from tests.factories import (
    PASSWORD,
    SYSTEM,
    InvitationFactory,
    MembershipFactory,
    UserFactory,
)
from tests.pages.support import developer, html, sign_in
from tests.support.domain import person

MEMBERS = "/o/acme/settings/members/"
INVITE = f"{MEMBERS}invite/"


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text.replace("&#x27;", "'")


def _invite(browser: Client, email: str, role: Role = Role.MEMBER) -> Any:
    fields = {"email": email, "role": role}
    # Mails leave after the commit, which a test's transaction never sees.
    with TestCase.captureOnCommitCallbacks(execute=True):
        return browser.post(INVITE, fields, follow=True)


def _link() -> str:
    found = re.search(r"http://testserver(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


@pytest.fixture
def invited(browser: Client) -> str:
    """The link that Dana got by mail."""
    answer = _invite(browser, "Dana@acme.example ")
    assert "Invitation sent to dana@acme.example." in _text(answer)
    return _link()


def test_an_invited_person_with_an_account_joins(invited: str, acme: Organization) -> None:
    dana = UserFactory.create(email="dana@acme.example", name="Dana")
    client = Client()

    asked = _text(client.get(invited))
    sign_in(dana, client)
    led = client.get("/")["Location"]
    joined = client.post(led)
    again = client.post(invited)

    assert "Ada Acme invited" in asked
    assert led == invited
    assert joined["Location"] == "/o/acme/settings/"
    assert Membership.objects.get(user=dana).role == Role.MEMBER
    assert "This invitation has been accepted already." in _text(again)


def test_an_invited_newcomer_signs_up_and_makes_no_organization(invited: str) -> None:
    client = Client()
    client.get(invited)

    form = _text(client.get("/accounts/signup/"))
    client.post("/accounts/signup/", {"email": "dana@acme.example", "password1": PASSWORD})

    assert client.get("/")["Location"] == "/o/acme/settings/"
    assert "Organization name" not in form
    assert Organization.objects.count() == 1
    assert Membership.objects.filter(user__email="dana@acme.example").exists()


def test_the_wrong_account_is_named_and_refused(invited: str, outsider: User) -> None:
    client = sign_in(outsider)

    seen, sent = client.get(invited), client.post(invited)

    for answer in (seen, sent):
        assert "This invitation is for dana@acme.example." in _text(answer)
        assert "You are signed in as gina@globex.example." in _text(answer)
    assert not Membership.objects.filter(user=outsider, organization__slug="acme").exists()


def test_a_link_ends_when_it_is_sent_again_or_revoked(browser: Client, invited: str) -> None:
    address = f"{MEMBERS}invitations/{Invitation.objects.get().pk}/"
    with TestCase.captureOnCommitCallbacks(execute=True):
        browser.post(address, {"do": "resend"})
    newer = _link()
    old, new = Client().get(invited).status_code, Client().get(newer).status_code
    browser.post(address, {"do": "revoke"})
    dana = sign_in(UserFactory.create(email="dana@acme.example"))
    revoked = dana.post(newer)
    again = browser.post(address, {"do": "revoke"})

    assert (old, new) == (404, 200)
    assert "This invitation was revoked." in _text(revoked)
    assert again.status_code == 409


@pytest.mark.parametrize("token", ["nonsense", "inv_0000000000000000000000.x.y", "%00"])
def test_invented_links_are_not_there(db: None, token: str) -> None:
    assert Client().get(f"/invitations/{token}/").status_code == 404


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("", "Enter an email address like name@example.com."),
        ("nobody", "Enter an email address like name@example.com."),
        ("ADA@acme.example", "They are already a member."),
        ("dana@acme.example", "An invitation is already open. Resend it from Pending invitations."),
    ],
)
def test_who_cannot_be_invited(browser: Client, invited: str, email: str, message: str) -> None:
    answer = _invite(browser, email)

    assert answer.status_code == 422
    assert message in _text(answer)
    assert Invitation.objects.count() == 1


def test_roles_change_and_the_last_admin_stays(
    browser: Client, acme: Organization, admin: User, member: User
) -> None:
    mine = Membership.objects.get(user=admin)
    theirs = Membership.objects.get(user=member)

    refused = browser.post(f"{MEMBERS}{mine.pk}/role/", {"role": "member"})
    nonsense = browser.post(f"{MEMBERS}{theirs.pk}/role/", {"role": "owner"})
    promoted = browser.post(f"{MEMBERS}{theirs.pk}/role/", {"role": "admin"}, follow=True)

    assert refused.status_code == 409
    assert "An organization needs at least one admin." in _text(refused)
    assert nonsense.status_code == 422
    assert "Max Member is now an admin." in _text(promoted)
    theirs.refresh_from_db()
    assert theirs.role == Role.ADMIN


def test_removing_lists_the_keys_that_the_person_made(
    browser: Client, acme: Organization, member: User, make_key: Callable[..., Issued]
) -> None:
    theirs = Membership.objects.get(user=member)
    browser.post(f"{MEMBERS}{theirs.pk}/role/", {"role": "admin"})
    key_services.create_api_key(organization=acme, actor=person(member), name="Made by Max")
    make_key(name="Made by another")

    asked = _text(browser.get(f"{MEMBERS}{theirs.pk}/remove/"))
    done = browser.post(f"{MEMBERS}{theirs.pk}/remove/", follow=True)

    assert "Made by Max" in asked
    assert "Made by another" not in asked
    assert "Max Member removed." in _text(done)
    assert not Membership.objects.filter(user=member).exists()


@pytest.mark.parametrize("key", [False, True], ids=["no key", "a key"])
@pytest.mark.parametrize("invitations", [0, 2])
def test_after_a_removal_only_what_happened_is_said(
    browser: Client, acme: Organization, key: bool, invitations: int
) -> None:
    user = UserFactory.create(name="Quinn New")
    theirs = MembershipFactory.create(organization=acme, user=user, role=Role.ADMIN)
    if key:
        key_services.create_api_key(organization=acme, actor=person(user), name="Theirs")
    for n in range(invitations):
        InvitationFactory.create(
            organization=acme, email=f"guest{n}@acme.example", actor=person(user)
        )

    answer = browser.post(f"{MEMBERS}{theirs.pk}/remove/", follow=True)

    (message,) = map(str, answer.context["messages"])
    expected = "Quinn New removed."
    expected += " The keys they created were not changed." if key else ""
    expected += " Pending invitations they sent were revoked (2)." if invitations else ""
    assert message == expected


@pytest.mark.parametrize("invitations", [0, 1])
def test_a_change_of_the_own_role_is_told_as_such(
    browser: Client, acme: Organization, admin: User, member: User, invitations: int
) -> None:
    theirs, mine = (Membership.objects.get(user=user) for user in (member, admin))
    browser.post(f"{MEMBERS}{theirs.pk}/role/", {"role": "admin"}, follow=True)
    for _ in range(invitations):
        InvitationFactory.create(organization=acme, actor=person(admin))

    answer = browser.post(f"{MEMBERS}{mine.pk}/role/", {"role": "member"}, follow=True)

    (message,) = map(str, answer.context["messages"])
    expected = "You are now a member."
    expected += " Pending invitations you sent were revoked (1)." if invitations else ""
    assert message == expected


@pytest.mark.parametrize("how", ["removed", "deactivated"])
def test_keys_of_somebody_who_has_left_say_so(
    browser: Client, acme: Organization, globex: Organization, staff: User, how: str
) -> None:
    """The others do not, nor does a key that staff made, nor one of a person who is elsewhere."""
    leaver = UserFactory.create(name="Lea Leaver")
    theirs = MembershipFactory.create(organization=acme, user=leaver, role=Role.ADMIN)
    MembershipFactory.create(organization=globex, user=leaver)
    key = key_services.create_api_key(organization=acme, actor=person(leaver), name="Old").key
    by_staff = Actor.staff(staff.pk, str(staff))
    key_services.create_api_key(organization=acme, actor=by_staff, name="Staff's")
    pages = [developer(acme), developer(acme, f"keys/{key.public_id}/")]
    before = [_text(browser.get(page)) for page in pages]

    if how == "removed":
        services.remove_member(theirs, actor=SYSTEM)
    else:
        User.objects.filter(pk=leaver.pk).update(is_active=False)
    after = [_text(browser.get(page)) for page in pages]

    left = ["Lea Leaver left", "Lea Leaver, who has left"]  # the list, and the key's own page
    assert [text.count(words) for text, words in zip(before, left, strict=True)] == [0, 0]
    assert [text.count(words) for text, words in zip(after, left, strict=True)] == [1, 1]


@pytest.mark.parametrize("status", ["active", "expired", "disabled", "revoked"])
def test_only_an_active_key_of_somebody_who_has_left_still_works(
    browser: Client, acme: Organization, status: str
) -> None:
    leaver = UserFactory.create(name="Lea Leaver")
    theirs = MembershipFactory.create(organization=acme, user=leaver, role=Role.ADMIN)
    key = key_services.create_api_key(
        organization=acme, actor=person(leaver), name="Old", scopes=["search:read"]
    ).key
    services.remove_member(theirs, actor=SYSTEM)
    now, ago = timezone.now(), timezone.now() - timedelta(days=100)
    fields = {"expired": "expires_at", "disabled": "disabled_at", "revoked": "revoked_at"}
    if status != "active":
        with transactions.allowed():
            ApiKey.objects.filter(pk=key.pk).update(created_at=ago, **{fields[status]: now})

    page = _text(browser.get(developer(acme, f"keys/{key.public_id}/")))

    assert "Lea Leaver, who has left" in page
    assert ("The key still works" in page) is (status == "active")
    assert "goes on working" not in page


def test_the_last_admin_cannot_be_removed_nor_leave(
    browser: Client, acme: Organization, admin: User
) -> None:
    mine = Membership.objects.get(user=admin)

    removed = browser.post(f"{MEMBERS}{mine.pk}/remove/")
    left = browser.post("/o/acme/settings/leave/")

    for answer in (removed, left):
        assert answer.status_code == 409
        assert "An organization needs at least one admin. Make someone else" in _text(answer)
        assert f'under <a href="{MEMBERS}">Members</a> first.' in _text(answer)


def test_a_member_may_leave(acme: Organization, member: User) -> None:
    client = sign_in(member)

    asked = client.get("/o/acme/settings/leave/")
    client.post("/o/acme/settings/leave/")

    assert asked.status_code == 200
    assert client.get("/o/acme/settings/").status_code == 404
    assert "You're not in an organization yet" in _text(client.get("/", follow=True))


def test_members_see_people_and_no_forms(acme: Organization, member: User) -> None:
    text = _text(sign_in(member).get(MEMBERS))

    assert "Ada Acme" in text
    assert "Invite" not in text
    assert "/role/" not in text
    assert "/remove/" not in text
    assert "Leave organization" in text


def _names(answer: Any) -> list[str]:
    return [str(member.user) for member in answer.context["page"]]


def test_members_are_searched_by_name_and_email(browser: Client, acme: Organization) -> None:
    for name, email in (("Zoe Zander", "z@acme.example"), ("", "platform@acme.example")):
        user = UserFactory.create(name=name, email=email)
        MembershipFactory.create(organization=acme, user=user)

    assert _names(browser.get(MEMBERS)) == ["Ada Acme", "platform@acme.example", "Zoe Zander"]
    assert _names(browser.get(MEMBERS, {"q": "zan"})) == ["Zoe Zander"]
    assert _names(browser.get(MEMBERS, {"q": "PLATFORM@"})) == ["platform@acme.example"]
    none = browser.get(MEMBERS, {"q": "nobody"})
    assert _names(none) == []
    assert "No members match." in _text(none)


def test_members_are_filtered_by_role_and_second_factor(
    browser: Client, acme: Organization, admin: User, member: User
) -> None:
    Authenticator.objects.create(user=member, type="totp", data={})

    assert _names(browser.get(MEMBERS, {"role": "admin"})) == ["Ada Acme"]
    assert _names(browser.get(MEMBERS, {"factor": "on"})) == ["Max Member"]
    assert _names(browser.get(MEMBERS, {"factor": "off", "role": "member"})) == []
    assert len(_names(browser.get(MEMBERS, {"factor": "other", "role": "owner"}))) == 2


@pytest.mark.parametrize(
    ("page", "said", "first"),
    [
        ("", "1–25 of 60 members", "Ada Acme"),
        ("3", "51–60 of 60 members", "Person 49"),
        ("99", "51–60 of 60 members", "Person 49"),
        ("x", "1–25 of 60 members", "Ada Acme"),
    ],
)
def test_members_come_in_pages(
    browser: Client, acme: Organization, page: str, said: str, first: str
) -> None:
    for number in range(59):
        user = UserFactory.create(name=f"Person {number:02}")
        MembershipFactory.create(organization=acme, user=user)

    answer = browser.get(MEMBERS, {"page": page, "role": ""})

    assert said in _text(answer)
    assert _names(answer)[0] == first


def test_a_changed_role_leads_back_to_the_same_page(
    browser: Client, acme: Organization, member: User
) -> None:
    theirs = Membership.objects.get(user=member)

    done = browser.post(f"{MEMBERS}{theirs.pk}/role/?q=max&page=2&evil=1", {"role": "admin"})

    assert done["Location"] == f"{MEMBERS}?q=max&page=2"


def test_only_admins_are_warned_about_a_missing_second_factor(
    browser: Client, acme: Organization, admin: User, member: User
) -> None:
    before = _text(browser.get(MEMBERS))
    Authenticator.objects.create(user=admin, type="webauthn", data={"name": "Laptop"})
    after = _text(browser.get(MEMBERS))

    assert [page.count("Recommended for admins") for page in (before, after)] == [1, 0]
    assert "Passkey" in after


def test_the_only_admin_is_told_why_they_cannot_leave(
    browser: Client, acme: Organization, member: User
) -> None:
    why = "You're the only admin."
    alone, asked = _text(browser.get(MEMBERS)), _text(browser.get("/o/acme/settings/leave/"))
    services.change_role(Membership.objects.get(user=member), role=Role.ADMIN, actor=SYSTEM)
    shared, may = _text(browser.get(MEMBERS)), _text(browser.get("/o/acme/settings/leave/"))

    assert [why in page for page in (alone, asked, shared, may)] == [True, True, False, False]
    leave = "Leave organization"
    assert [leave in page for page in (alone, asked, shared, may)] == [False, False, True, True]


def test_invitations_say_when_they_expire_and_come_in_pages(
    browser: Client, acme: Organization
) -> None:
    for number in range(26):
        InvitationFactory.create(organization=acme, email=f"guest{number:02}@acme.example")
    now = timezone.now()
    with transactions.allowed():
        for email, end in (("guest00", now), ("guest01", now + timedelta(days=1, minutes=1))):
            sent = Invitation.objects.filter(email=f"{email}@acme.example")
            sent.update(expires_at=end)

    first = _text(browser.get(MEMBERS))
    second = _text(browser.get(MEMBERS, {"invitations": "2"}))

    assert "1–25 of 26 invitations" in first
    assert first.count(">Resend</button>") == 25
    texts = re.sub(r"<svg .*?</svg>|</?time[^>]*>", "", first)
    states = re.findall(r'class="status (\w+)">\s*(Expire[^<]*?)\s*<', texts)
    assert states == [("bad", "Expired"), ("warn", "Expires in 1 day")]
    assert "guest25@acme.example" in second
    assert "26–26 of 26 invitations" in second


def test_inviting_is_a_page_and_a_dialog(browser: Client, acme: Organization) -> None:
    page = _text(browser.get(INVITE))
    dialog = _text(browser.get(INVITE, headers={"X-Dialog": "1"}))

    assert '<nav class="sections"' in page
    assert "data-dialog-content" in dialog
    assert '<nav class="sections"' not in dialog
    assert f'href="{INVITE}" data-dialog="invite"' in _text(browser.get(MEMBERS))


def test_switching_between_organizations(
    browser: Client, admin: User, globex: Organization
) -> None:
    MembershipFactory.create(organization=globex, user=admin, role=Role.ADMIN)

    text = _text(browser.get(MEMBERS))

    assert re.search(r'<a href="/o/globex/settings/developer/"\s*>Globex</a>', text)
    assert browser.get("/o/globex/settings/developer/").status_code == 200


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_grow(
    browser: Client, acme: Organization, count: int
) -> None:
    for _ in range(count):
        MembershipFactory.create(organization=acme)

    with CaptureQueriesContext(connection) as queries:
        browser.get(MEMBERS)

    assert len(queries) == 9


def test_renaming(browser: Client, acme: Organization) -> None:
    done = browser.post("/o/acme/settings/", {"name": "Acme & Sons"}, follow=True)
    empty = browser.post("/o/acme/settings/", {"name": " "})

    assert "Acme &amp; Sons" in _text(done)
    assert empty.status_code == 422


def test_a_mail_that_could_not_be_sent_is_said_as_a_warning(
    committed: None, acme: Organization, admin: User, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    browser = sign_in(admin)

    answers = [browser.post(INVITE, {"email": "dana@acme.example", "role": "member"}, follow=True)]
    again = f"{MEMBERS}invitations/{Invitation.objects.get().pk}/"
    answers.append(browser.post(again, {"do": "resend"}, follow=True))

    for answer in answers:
        (message,) = answer.context["messages"]
        assert "could not be sent" in str(message)
        assert 'data-message="warn"' in _text(answer)


def test_each_page_says_the_same_about_roles(browser: Client) -> None:
    said = "Admins manage API keys and members. Members can only view templates."

    for path in (MEMBERS, INVITE, "/o/acme/settings/developer/access/"):
        assert said in _text(browser.get(path)), path
