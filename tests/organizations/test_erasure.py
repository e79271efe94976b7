"""After a user is erased, no row identifies them, and the audit log is complete."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from apikeys.services import Issued, create_api_key
from core import ids, transactions
from core.exceptions import Conflict, Forbidden
from organizations import services
from organizations.models import AuditEvent, Erasure, Invitation, Membership, Organization, User
from organizations.roles import Role
from tests.factories import PASSWORD, SYSTEM, UserFactory
from tests.pages.support import developer, sign_in, told
from tests.support.domain import ORIGIN, nothing_written, person, unwritable_trail

EMAIL, NAME = "zoe@personal.example", "Zoe Zimmermann"


@pytest.fixture
def zoe(acme: Organization, admin: User) -> User:
    """Invited, joined, made a key, an organization and a session, was promoted, and removed."""
    tokens: list[str] = []

    def link(token: str) -> str:
        tokens.append(token)
        return token

    services.invite(acme, email=EMAIL, role=Role.MEMBER, link=link, actor=person(admin))
    user = UserFactory.create(email=EMAIL, name=NAME)
    membership = services.accept_invitation(tokens[0], actor=person(user))
    services.change_role(membership, role=Role.ADMIN, actor=person(admin))
    create_api_key(organization=acme, actor=person(user), name="Hers", scopes=["search:read"])
    sign_in(user, Client(HTTP_USER_AGENT="Zoe's Browser", REMOTE_ADDR=ORIGIN.ip))
    TOTP.activate(user, generate_totp_secret())
    services.remove_member(Membership.objects.get(user=user), actor=person(admin))
    return user


def _rows() -> str:
    """Everything that the database holds, as text."""
    tables = [model for model in apps.get_models() if not model._meta.proxy]
    return str([list(model._default_manager.values()) for model in tables])


def test_no_row_tells_who_it_was(zoe: User, acme: Organization, admin: User) -> None:
    before = list(AuditEvent.objects.order_by("number").values())
    assert EMAIL in _rows()

    call_command("forget_person", EMAIL, "--yes")

    after = list(AuditEvent.objects.order_by("number").values())
    rows = _rows()
    for text in (EMAIL, NAME, "Zimmermann", "Zoe's Browser"):
        assert text not in rows
    assert [row["event"] for row in after] == [*(r["event"] for r in before), "person.forgotten"]
    erased = {"actor_label", "target_label", "ip", "user_agent", "details"}
    for old, new in zip(map(dict, before), map(dict, after), strict=False):
        assert {name for name in old if old[name] != new[name]} <= erased
    assert not Authenticator.objects.filter(user=zoe).exists()


def test_what_they_did_can_still_be_followed(zoe: User, acme: Organization, admin: User) -> None:
    services.forget_person(zoe, actor=SYSTEM)
    label = f"Former person {zoe.public_id}"

    lines = "\n".join(told(sign_in(admin).get(developer(acme, "activity/"))))

    assert f"{label} created the key Hers" in lines
    assert f"Ada Acme removed {label}" in lines
    assert f"Ada Acme invited {label}" in lines
    others = AuditEvent.objects.filter(actor_id=admin.pk)
    assert set(others.values_list("actor_label", flat=True)) == {"Ada Acme"}


def test_what_earlier_versions_wrote_is_found(acme: Organization, admin: User) -> None:
    """Without the person's id in events of memberships, and with the address of who founded."""
    user = UserFactory.create(email=EMAIL, name=NAME)
    fields: dict[str, Any] = {"organization_id": acme.pk, "actor_kind": "person"}
    with transactions.allowed():
        AuditEvent.objects.create(
            event="member.left", target_type="Membership", target_label=f"{NAME} in Acme",
            actor_id=user.pk, actor_label=NAME, **fields,
        )  # fmt: skip
        AuditEvent.objects.create(
            event="organization.created", target_type="Organization", target_label="Acme",
            target_id=acme.pk, actor_label="Ada Acme", details={"admin": EMAIL}, **fields,
        )  # fmt: skip

    services.forget_person(user, actor=SYSTEM)

    assert EMAIL not in _rows()
    assert NAME not in _rows()


VICTIM = "vic@corp.example"


@pytest.fixture
def invited(acme: Organization, admin: User) -> Invitation:
    """Acme has invited somebody twice: the first invitation was revoked."""
    for _ in range(2):
        found = Invitation.objects.filter(email=VICTIM).first()
        if found:
            services.revoke_invitation(found, actor=person(admin))
        services.invite(acme, email=VICTIM, role=Role.MEMBER, link=str, actor=person(admin))
    return Invitation.objects.open().get(email=VICTIM)


def _of_acme(acme: Organization) -> tuple[list[Any], list[Any]]:
    events = AuditEvent.objects.filter(organization_id=acme.pk).order_by("number")
    return list(events.values()), list(Invitation.objects.order_by("pk").values())


def test_an_address_that_was_never_confirmed_is_another_persons(
    zoe: User, acme: Organization, invited: Invitation
) -> None:
    EmailAddress.objects.create(user=zoe, email=VICTIM, verified=False)
    about_victim = AuditEvent.objects.filter(target_label__startswith=VICTIM).count()
    assert about_victim == 3

    call_command("forget_person", EMAIL, "--yes")

    assert AuditEvent.objects.filter(target_label__startswith=VICTIM).count() == about_victim
    assert Invitation.objects.filter(email=VICTIM).count() == 2
    assert Invitation.objects.open().filter(pk=invited.pk).exists()
    assert not EmailAddress.objects.filter(user=zoe).exists()


def test_a_confirmed_second_address_goes_too(zoe: User, invited: Invitation) -> None:
    EmailAddress.objects.create(user=zoe, email=VICTIM, verified=True)

    call_command("forget_person", EMAIL, "--yes")

    assert VICTIM not in _rows()


@pytest.mark.parametrize("way", ["maintain", "forget_person"])
def test_a_sign_up_that_was_never_confirmed_takes_nothing_of_others(
    way: str, acme: Organization, invited: Invitation
) -> None:
    form = {"email": VICTIM, "name": "", "password1": PASSWORD, "organization": "Squat"}
    assert Client().post("/accounts/signup/", form).status_code == 302
    user = User.objects.get(email=VICTIM)
    kept = _of_acme(acme)

    if way == "maintain":
        User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=99))
        call_command("maintain", stdout=StringIO())
        assert not User.objects.filter(pk=user.pk).exists()
    else:
        own = Membership.objects.get(user=user)
        services.add_member(
            own.organization, user=UserFactory.create(), role=Role.ADMIN, actor=SYSTEM
        )
        services.remove_member(own, actor=SYSTEM)
        call_command("forget_person", VICTIM, "--yes")

    assert _of_acme(acme) == kept
    theirs = AuditEvent.objects.exclude(organization_id=acme.pk)
    assert VICTIM not in str(list(theirs.values("actor_label", "target_label", "details")))


def test_staff_export_no_invitations_of_an_address_that_was_never_confirmed(
    acme: Organization, invited: Invitation
) -> None:
    user = UserFactory.create(email=VICTIM)
    assert len(services.export_personal_data(user, actor=SYSTEM)["invitations"]) == 2
    EmailAddress.objects.filter(user=user).update(verified=False)

    assert services.export_personal_data(user, actor=SYSTEM)["invitations"] == []


def test_the_person_cannot_sign_in_any_more(zoe: User) -> None:
    browser = sign_in_as(zoe)

    services.forget_person(zoe, actor=SYSTEM)

    assert browser.get("/accounts/sessions/").status_code == 302
    zoe.refresh_from_db()
    assert not zoe.is_active
    assert not zoe.has_usable_password()
    assert zoe.email.endswith("@forgotten.invalid")


def sign_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("part", ["admin", "outsider", "manager"])
def test_nobody_but_staff_and_commands_does_it(
    part: str, zoe: User, request: pytest.FixtureRequest, act_as: Callable[[str], Any]
) -> None:
    actor = act_as(part)
    with nothing_written(), pytest.raises(Forbidden):
        services.forget_person(zoe, actor=actor)


def test_members_and_staff_have_to_leave_first(
    admin: User, acme: Organization, staff: User
) -> None:
    with pytest.raises(CommandError, match="still a member of Acme"):
        call_command("forget_person", admin.email, "--yes")
    with pytest.raises(Conflict, match="They are staff"):
        services.forget_person(staff, actor=SYSTEM)


def test_the_command_asks_and_knows_people(zoe: User) -> None:
    with pytest.raises(CommandError, match="Add --yes"):
        call_command("forget_person", EMAIL)
    with pytest.raises(CommandError, match="Unknown email"):
        call_command("forget_person", "x@acme.example", "--yes")
    services.forget_person(zoe, actor=SYSTEM)
    with pytest.raises(Conflict, match="already been forgotten"):
        services.forget_person(zoe, actor=SYSTEM)


def test_without_its_event_nobody_is_forgotten(zoe: User) -> None:
    before = _rows()

    with unwritable_trail(), pytest.raises(Exception, match="no_event"):
        services.forget_person(zoe, actor=SYSTEM)

    assert _rows() == before


@pytest.mark.parametrize(
    "change",
    [
        "actor_label = 'Former person'",
        "target_label = 'Former person'",
        "details = '{}'",
        "ip = NULL",
        "user_agent = ''",
        "actor_id = NULL",
        "request_id = ''",
        "at = CURRENT_TIMESTAMP",
        "number = number + 1000000",
    ],
)
@pytest.mark.parametrize("is_forgotten", [False, True])
def test_the_database_allows_no_other_change(
    zoe: User, manager: Issued, change: str, is_forgotten: bool
) -> None:
    """Of an event of somebody else, as SQL of the application's own role would try it."""
    if is_forgotten:
        services.forget_person(zoe, actor=SYSTEM)
    event = AuditEvent.objects.filter(
        event="member.role_changed", user_agent=ORIGIN.user_agent
    ).get()
    sql = f"UPDATE organizations_auditevent SET {change} WHERE number = {event.number}"

    with (
        pytest.raises(IntegrityError, match="audit_events_stay_as_they_are"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def _erasure(subject: Any, label: str) -> None:
    table, moment = Erasure._meta.db_table, timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (subject_id, label, at) VALUES (%s, %s, %s)",
            [subject.hex if connection.vendor == "sqlite" else subject, label, moment],
        )


@pytest.mark.parametrize("what", ["event", "person", "unknown"])
@pytest.mark.parametrize("label", ["x", "Former person usr_1", "Ada Acme", "<zoe>"])
def test_the_database_takes_no_erasure_of_people_who_are_not_forgotten(
    zoe: User, admin: User, what: str, label: str
) -> None:
    """In SQL of the application's own role; <zoe> is the name that she would be forgotten under."""
    event = AuditEvent.objects.filter(actor_id=admin.pk).first()
    assert event
    subject = {"event": event.pk, "person": zoe.pk, "unknown": ids.new_id()}[what]

    with pytest.raises(IntegrityError, match="erasures_are_of_forgotten_people"):
        _erasure(subject, label.replace("<zoe>", f"Former person {zoe.public_id}"))


def test_who_is_forgotten_lends_their_label_to_no_other_person(zoe: User, admin: User) -> None:
    services.forget_person(zoe, actor=SYSTEM)

    with pytest.raises(IntegrityError, match="erasures_are_of_forgotten_people"):
        _erasure(admin.pk, f"Former person {zoe.public_id}")


def test_what_was_erased_is_on_record_for_good(zoe: User) -> None:
    services.forget_person(zoe, actor=SYSTEM)

    for change in ("SET label = 'x'", ""):
        verb = "UPDATE" if change else "DELETE FROM"
        with (
            pytest.raises(IntegrityError, match="erasures_stay"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"{verb} organizations_erasure {change}")
    assert Erasure.objects.filter(pk=zoe.pk).exists()
