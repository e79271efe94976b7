"""People, organizations and invitations of the demo."""

from datetime import datetime, timedelta
from typing import Final

from apikeys.management.demo_past import as_of
from core import ids
from core.actors import Actor, RequestContext
from core.transactions import operation
from organizations import audit, services
from organizations.events import OrganizationEvent
from organizations.models import Invitation, Membership, Organization, User
from organizations.roles import Role

ADMIN: Final = "admin@acme.example"
MEMBER: Final = "member@acme.example"
OTHER_ADMIN: Final = "admin@globex.example"
STAFF: Final = "staff@latchkey.example"

#: Colleagues who can't sign in: email, name, role, joined and last signed in, in days before now.
_COLLEAGUES: Final[tuple[tuple[str, str, Role, int, float | None], ...]] = (
    ("security@acme.example", "Security team", Role.ADMIN, 116, 1.1),
    ("platform@acme.example", "Platform team", Role.ADMIN, 115, 0.09),
    ("data@acme.example", "Data team", Role.MEMBER, 115, 3.2),
    ("support@acme.example", "Support team", Role.MEMBER, 114, 4.5),
    ("billing@acme.example", "Billing team", Role.MEMBER, 113, None),
)


def person(user: User, ip: str = "192.0.2.7") -> Actor:
    """The user as an actor, in a request of their own."""
    origin = RequestContext(ids.new_public_id("req"), ip, "Mozilla/5.0 (X11; Linux x86_64)")
    return Actor.person(user.id, str(user), origin)


class People:
    """Who works at Acme, and who did. Each method is a step of the demo's past, oldest first."""

    acme: Organization
    globex: Organization
    ada: User
    gina: User
    max: User
    sam: User

    def __init__(self, now: datetime, password: str) -> None:
        self.now, self._password = now, password

    def before(self, days: float) -> datetime:
        """A moment so many days ago."""
        return self.now - timedelta(days=days)

    def founders(self, at: datetime) -> None:
        """Staff, and Acme with its first admin."""
        with as_of(at):
            self.sam = User.objects.create_superuser(STAFF, self._password, name="Sam Staff")
            self.ada = User.objects.create_user(ADMIN, self._password, name="Ada Acme")
            self.acme = services.create_organization(
                name="Acme", admin=self.ada, actor=Actor.system("demo")
            )
            self.limit_keys(100)

    def limit_keys(self, number: int) -> None:
        """Staff set how many keys Acme may have."""
        staff = Actor.staff(self.sam.id, str(self.sam))
        services.set_key_limit(self.acme, limit=number, actor=staff)

    def join(self, at: datetime, email: str, name: str, role: Role, password: str | None) -> User:
        """A colleague of Ada's."""
        with as_of(at):
            user = User.objects.create_user(email, password, name=name)
            services.add_member(self.acme, user=user, role=role, actor=person(self.ada))
        return user

    def colleagues(self) -> None:
        """Max, who leaves later, Mia, who can sign in, and those who are only listed."""
        self.max = self.join(self.before(118), "max@acme.example", "Max Member", Role.ADMIN, None)
        self.join(self.before(117), MEMBER, "Mia Member", Role.MEMBER, self._password)
        for place, (email, name, role, joined, seen) in enumerate(_COLLEAGUES):
            at = self.before(joined) + timedelta(minutes=place)
            user = self.join(at, email, name, role, None)
            User.objects.filter(pk=user.pk).update(last_login=seen and self.before(seen))

    def neighbors(self, at: datetime) -> None:
        """Another customer."""
        with as_of(at):
            self.gina = User.objects.create_user(OTHER_ADMIN, self._password, name="Gina Globex")
            self.globex = services.create_organization(
                name="Globex", admin=self.gina, actor=Actor.system("demo")
            )

    def second_organization(self, at: datetime) -> None:
        """Ada's own, without keys."""
        with as_of(at):
            services.create_own_organization(name="Acme Labs", actor=person(self.ada))

    def max_leaves(self, at: datetime) -> None:
        """Keys that he created stay."""
        membership = Membership.objects.get(user=self.max)
        with as_of(at):
            services.remove_member(membership, actor=person(self.ada))

    def invite(self, at: datetime, email: str, role: Role) -> None:
        """An open invitation, without the email, which would appear in the terminal."""
        with as_of(at):
            _invite(self.acme, email, role, person(self.ada))


@operation()
def _invite(organization: Organization, email: str, role: Role, actor: Actor) -> None:
    invitation = Invitation(
        organization=organization, email=email, role=role, invited_by_id=actor.authority_id
    )
    invitation.save()
    audit.record(OrganizationEvent.INVITATION_CREATED, invitation, actor=actor)
