"""The demo's organizations, people, templates and keys."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apikeys import conf, services
from apikeys.management.demo_past import (
    NIGHTLY,
    PEOPLE,
    SERVERS,
    VISITORS,
    Habit,
    as_of,
    last_use,
    usage,
)
from apikeys.models import ApiKey, ApiKeySecret, KeyUsage, ScopeUse
from core import transactions
from core.actors import Actor
from organizations import services as organization_services
from organizations.models import Organization, User
from organizations.roles import Role

ADMIN: Final = "admin@acme.example"
MEMBER: Final = "member@acme.example"
OTHER_ADMIN: Final = "admin@globex.example"
STAFF: Final = "staff@latchkey.example"

#: Where requests come from: IP address and user agent.
_SERVER: Final = ("192.0.2.7", "python-requests/2.32.3")
_LAPTOP: Final = ("198.51.100.24", "curl/8.5.0")
_READ: Final = ["trademarks:read", "search:read", "events:read"]
#: Name, description, scopes, lifetime in days.
_TEMPLATES: Final[tuple[tuple[str, str, list[str], int | None], ...]] = (
    ("Production", "Servers that customers use.", [*_READ, "portfolios:manage"], None),
    ("Staging", "Tests before a release.", [*_READ, "portfolios:manage"], 90),
    ("CI", "Builds and tests.", ["search:read"], 30),
    ("Read only", "Reads everything.", _READ, 365),
    ("Search box", "Search on the public site.", ["search:read"], 180),
    ("Event feed", "Follows trademark events.", ["events:read"], 365),
    ("Watch service", "Trademark monitoring.", ["trademarks:read", "events:read"], 365),
    ("Portfolio import", "The nightly import.", ["portfolios:manage"], 90),
    ("Reporting", "Dashboards and spreadsheets.", ["trademarks:read", "search:read"], 180),
    ("Contractor", "Temporary access for contractors.", ["search:read"], 14),
    ("Incident", "Short-lived access during an incident.", _READ, 1),
    ("Key management", "Automation that rotates keys.", ["api-keys:manage"], 90),
)


def is_seeded() -> bool:
    """Whether the demo data exists."""
    return User.objects.filter(email=ADMIN).exists()


def renew_password(password: str) -> None:
    """Sets the displayed password again, because the settings file may have been recreated."""
    for user in User.objects.filter(email__in=[ADMIN, MEMBER, OTHER_ADMIN, STAFF]):
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])


def free_name() -> str:
    """A name that none of Acme's keys uses."""
    taken = set(ApiKey.objects.filter(organization__slug="acme").values_list("name", flat=True))
    return next(name for n in count(1) if (name := f"Another {n}") not in taken)


def account_id() -> str:
    """The public ID of Acme."""
    return Organization.objects.get(slug="acme").public_id


@transaction.atomic
def seed(password: str) -> str:
    """Creates all demo data, or none. Returns the secret of Acme's Production key."""
    story = Story(timezone.now())
    story.people(password)
    secret = story.first_keys()
    story.later_keys()
    story.lately()
    story.count_usage()
    return secret


class Story:
    """Four months of Acme, day by day. Rows, audit events and usage agree on every time."""

    acme: Organization
    globex: Organization
    ada: Actor
    gina: Actor

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.keys: dict[str, ApiKey] = {}

    def at(self, days_ago: int, clock: str) -> datetime:
        """A time of day in UTC, some days ago."""
        hour, minute = map(int, clock.split(":"))
        day = self.now.astimezone(UTC) - timedelta(days=days_ago)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)

    def make(self, days_ago: int, clock: str, name: str, **options: Any) -> services.Issued:
        """A key of Acme, created by Ada on that day."""
        with as_of(self.at(days_ago, clock)):
            issued = services.create_api_key(
                organization=self.acme, actor=self.ada, name=name, **options
            )
        self.keys[name] = issued.key
        return issued

    def people(self, password: str) -> None:
        """Creates users, organizations and the first templates."""
        system = Actor.system("demo")
        with as_of(self.at(120, "09:02")):
            User.objects.create_superuser(STAFF, password, name="Sam Staff")
            admin = User.objects.create_user(ADMIN, password, name="Ada Acme")
            self.acme = organization_services.create_organization(
                name="Acme", admin=admin, actor=system
            )
        self.ada = Actor.person(admin.id, str(admin))
        for place, (name, description, scopes, lifetime_days) in enumerate(_TEMPLATES):
            with as_of(self.at(119, f"10:{15 + 2 * place}")):
                services.create_template(
                    organization=self.acme,
                    actor=self.ada,
                    name=name,
                    description=description,
                    scopes=scopes,
                    lifetime_days=lifetime_days,
                )
        with as_of(self.at(118, "14:30")):
            member = User.objects.create_user(MEMBER, password, name="Max Member")
            organization_services.add_member(
                self.acme, user=member, role=Role.MEMBER, actor=self.ada
            )
        with as_of(self.at(112, "08:41")):
            other_admin = User.objects.create_user(OTHER_ADMIN, password, name="Gina Globex")
            self.globex = organization_services.create_organization(
                name="Globex", admin=other_admin, actor=system
            )
        self.gina = Actor.person(other_admin.id, str(other_admin))

    def first_keys(self) -> str:
        """Creates the oldest keys. Returns the secret of Production."""
        with as_of(self.at(111, "09:10")):
            services.create_api_key(organization=self.globex, actor=self.gina, name="Production")
        shown = self.make(100, "09:12", "Production", scopes=list(conf.scopes()))
        with as_of(self.at(97, "11:05")):
            robot = organization_services.create_service_account(
                self.acme, name="Nightly import", description="Imports portfolios.", actor=self.ada
            )
        self.make(
            97, "11:09", "Nightly import", service_account=robot, scopes=["portfolios:manage"]
        )
        self.make(86, "15:40", "Forgotten", scopes=["search:read"])
        self.make(80, "13:20", "Old dashboard", scopes=_READ)
        self.make(71, "10:00", "Search box", scopes=["search:read"])
        self.make(60, "16:45", "Crawler", scopes=["search:read"])
        return shown.secret

    def later_keys(self) -> None:
        """Creates the newer keys, and revokes one that leaked."""
        self.make(45, "09:30", "Staging", environment="test")
        with as_of(self.at(33, "08:20")):
            services.revoke_api_key(self.keys["Crawler"], actor=self.ada, reason="Found in a log.")
        self.make(32, "12:00", "Trial", scopes=["search:read"], expires_at=self.at(2, "12:00"))

    def lately(self) -> None:
        """Changes keys during the last two weeks."""
        with as_of(self.at(12, "16:05")):
            services.set_api_key_enabled(self.keys["Old dashboard"], enabled=False, actor=self.ada)
        self.make(
            11, "08:50", "Contractor", expires_at=self.at(-3, "08:50"), scopes=["search:read"]
        )
        with as_of(self.at(1, "10:30")):
            services.rotate_api_key(
                self.keys["Search box"], actor=self.ada, grace_period=timedelta(days=7)
            )

    def count_usage(self) -> None:
        """Counts the requests of each key for as long as it was used."""
        self._use("Production", SERVERS, _SERVER, unused=["events:read", "api-keys:manage"])
        self._use("Nightly import", NIGHTLY, _SERVER)
        self._use("Forgotten", PEOPLE, _LAPTOP, until=self.at(47, "17:00"))
        self._use("Old dashboard", PEOPLE, _SERVER, until=self.at(12, "16:05"))
        self._use("Search box", VISITORS, _SERVER)
        self._use("Crawler", NIGHTLY, _LAPTOP, until=self.at(33, "08:20"))
        self._use("Staging", PEOPLE, _SERVER)
        self._use("Trial", PEOPLE, _LAPTOP, until=self.at(2, "12:00"))
        self._use("Contractor", PEOPLE, _LAPTOP)

    def _use(
        self,
        name: str,
        habit: Habit,
        client: tuple[str, str],
        until: datetime | None = None,
        unused: Sequence[str] = (),
    ) -> None:
        key, end = ApiKey.objects.get(pk=self.keys[name].pk), until or self.now
        uses = list(usage(name, habit, key.created_at, end))
        KeyUsage.objects.bulk_create(
            [KeyUsage(key=key, hour=h, result=r, requests=n) for h, r, n in uses], batch_size=2000
        )
        last = last_use(uses, end)
        ScopeUse.objects.bulk_create(
            ScopeUse(key=key, scope=scope, last_used_on=last.date())
            for scope in key.scopes
            if scope not in unused
        )
        _mark_used(key, last, client)


def _mark_used(key: ApiKey, last: datetime, client: tuple[str, str]) -> None:
    """Sets the last use on the key and on each secret that existed at that time."""
    ip, agent = client
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(
            last_used_at=last, last_used_ip=ip, last_used_user_agent=agent
        )
        for secret in key.secrets.filter(created_at__lt=last):
            # Servers switch to a new secret one by one; the older one was used a little earlier.
            lag = timedelta(0) if secret.ends_at is None else (last - key.updated_at) / 2
            ApiKeySecret.objects.filter(pk=secret.pk).update(last_used_at=last - lag)
