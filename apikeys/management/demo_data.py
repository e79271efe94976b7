"""The demo's organizations, people, templates and keys."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apikeys import conf, services
from apikeys.management.demo_past import (
    JOBS,
    NIGHTLY,
    PEOPLE,
    SERVERS,
    VISITORS,
    Habit,
    as_of,
    last_use,
    usage,
)
from apikeys.management.demo_people import ADMIN, MEMBER, OTHER_ADMIN, STAFF, People, person
from apikeys.models import ApiKey, ApiKeySecret, KeyUsage, ScopeUse
from apikeys.services.acting import actor_of
from apikeys.services.key_emails import no_emails
from apikeys.verification.verify import verify
from core import transactions
from core.actors import RequestContext
from core.ids import new_public_id
from organizations import services as organization_services
from organizations.models import Organization, User
from organizations.roles import Role

__all__ = ["ADMIN", "MEMBER", "OTHER_ADMIN", "STAFF", "seed"]

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


@no_emails()  # they would appear in the terminal
@transaction.atomic
def seed(password: str) -> str:
    """Creates all demo data, or none. Returns the secret of Acme's Production key."""
    story = Story(timezone.now(), password)
    story.beginnings()
    story.templates()
    story.first_keys()
    secret = story.production()
    story.later_keys()
    story.lately()
    story.today()
    story.count_usage()
    return secret


class Story:
    """Four months of Acme, day by day. Rows, audit events and usage agree on every time."""

    def __init__(self, now: datetime, password: str) -> None:
        self.now = now
        self.people = People(now, password)
        self.keys: dict[str, ApiKey] = {}

    def at(self, days_ago: int, clock: str) -> datetime:
        """A time of day in UTC, some days ago."""
        hour, minute = map(int, clock.split(":"))
        day = self.now.astimezone(UTC) - timedelta(days=days_ago)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)

    def make(
        self, at: datetime, name: str, *, by: User | None = None, **options: Any
    ) -> services.Issued:
        """A key of Acme, created then by Ada or `by`."""
        with as_of(at):
            issued = services.create_api_key(
                organization=self.people.acme,
                actor=person(by or self.people.ada),
                name=name,
                **options,
            )
        self.keys[name] = issued.key
        return issued

    def beginnings(self) -> None:
        """Creates organizations and people."""
        self.people.founders(self.at(120, "09:02"))
        self.people.colleagues()
        self.people.neighbors(self.at(112, "08:41"))
        with as_of(self.at(111, "09:10")):
            services.create_api_key(
                organization=self.people.globex, actor=person(self.people.gina), name="Production"
            )

    def templates(self) -> None:
        """Creates Acme's templates."""
        for place, (name, description, scopes, lifetime_days) in enumerate(_TEMPLATES):
            with as_of(self.at(111, f"10:{15 + 2 * place}")):
                services.create_template(
                    organization=self.people.acme,
                    actor=person(self.people.ada),
                    name=name,
                    description=description,
                    scopes=scopes,
                    lifetime_days=lifetime_days,
                )

    def first_keys(self) -> None:
        """Creates the oldest keys."""
        manages = ["api-keys:manage", "portfolios:manage"]
        self.automation = self.make(self.at(110, "10:05"), "Key automation", scopes=manages)
        self.make(self.at(109, "16:20"), "Invoices", scopes=["events:read"])
        self.make(self.at(108, "13:20"), "Old dashboard")
        self.make(
            self.at(105, "11:45"),
            "Reporting",
            by=self.people.max,
            scopes=_READ,
            expires_at=self.at(-180, "11:45"),
        )
        self.make(self.at(101, "15:40"), "Forgotten", scopes=["search:read"])
        self.make(
            self.at(98, "09:30"), "Staging", environment="test", expires_at=self.at(-90, "09:30")
        )
        with as_of(self.at(97, "11:05")):
            robot = organization_services.create_service_account(
                self.people.acme,
                name="Nightly import",
                description="Imports portfolios.",
                actor=person(self.people.ada),
            )
        self.make(
            self.at(97, "11:09"),
            "Nightly import",
            service_account=robot,
            scopes=["portfolios:manage"],
            expires_at=self.at(-90, "11:09"),
        )
        self.make(self.at(95, "10:00"), "Search box", scopes=["search:read"])

    def production(self) -> str:
        """Creates, renames and rotates Production. Returns its secret."""
        standard = [scope for scope in conf.scopes() if scope != "api-keys:manage"]
        description = "Search and portfolio servers in eu-west."
        made = self.make(self.at(92, "13:41"), "Prod", scopes=standard, description=description)
        with as_of(self.at(87, "15:12")):
            changed = services.update_api_key(
                made.key, actor=person(self.people.ada), changes={"name": "Production"}
            )
        self.keys["Production"] = changed
        self.people.second_organization(self.at(64, "10:10"))
        self.make(self.at(60, "16:45"), "Crawler", scopes=["search:read"])
        with as_of(self.at(49, "08:30")):
            return services.rotate_api_key(changed, actor=person(self.people.ada)).secret

    def later_keys(self) -> None:
        """Creates the newer keys, and disables an old one."""
        self.make(
            self.at(32, "12:00"), "Trial", scopes=["search:read"], expires_at=self.at(2, "12:00")
        )
        with as_of(self.at(18, "16:05")):
            services.set_api_key_enabled(
                self.keys["Old dashboard"], enabled=False, actor=person(self.people.ada)
            )
        self.make(
            self.at(11, "08:50"),
            "Contractor",
            expires_at=self.at(-3, "08:50"),
            scopes=["search:read"],
        )

    def lately(self) -> None:
        """The last week: Max leaves, and a leaked key is revoked."""
        self.people.invite(self.at(6, "14:02"), "finance@acme.example", Role.ADMIN)
        with as_of(self.at(3, "10:12")):
            self.people.limit_keys(1000)
        self.people.max_leaves(self.at(3, "17:45"))
        self._rotate_by_automation(self.at(2, "04:00"))
        self.people.invite(self.at(1, "11:02"), "ops@acme.example", Role.MEMBER)
        with as_of(self.at(1, "11:27")):
            services.revoke_api_key(
                self.keys["Crawler"], actor=person(self.people.ada), reason="Found in a log."
            )

    def _rotate_by_automation(self, at: datetime) -> None:
        """A key rotates another through the API."""
        found = verify(self.automation.secret).found
        if found is None:
            raise LookupError("The automation's key must be valid.")
        origin = RequestContext(new_public_id("req"), "198.51.100.24", "Python-urllib/3.13")
        with as_of(at):
            services.rotate_api_key(
                self.keys["Nightly import"],
                actor=actor_of(found, origin),
                grace_period=timedelta(hours=1),
            )

    def today(self) -> None:
        """The last hours: a wider key, a rotation, and a new key."""
        ada = self.people.ada
        with as_of(self.now - timedelta(hours=5)):
            services.update_api_key(
                self.keys["Production"],
                actor=person(ada),
                changes={"scopes": list(conf.scopes())},
            )
        with as_of(self.now - timedelta(minutes=24)):
            services.rotate_api_key(self.keys["Search box"], actor=person(ada))
        at = self.now - timedelta(minutes=13)
        self.make(
            at,
            "CI",
            environment="test",
            scopes=["search:read"],
            expires_at=at + timedelta(days=30),
        )

    def count_usage(self) -> None:
        """Counts the requests of each key for as long as it was used."""
        self._use("Production", SERVERS, _SERVER, unused=["events:read", "api-keys:manage"])
        self._use("Search box", VISITORS, _SERVER)
        self._use("Nightly import", NIGHTLY, _SERVER)
        self._use("Staging", PEOPLE, _SERVER)
        self._use("Reporting", PEOPLE, _LAPTOP)
        self._use("Contractor", PEOPLE, _LAPTOP)
        self._use("Invoices", JOBS, _SERVER)
        self._use("Key automation", JOBS, _LAPTOP)
        self._use("Forgotten", PEOPLE, _LAPTOP, until=self.at(47, "17:00"))
        self._use("Old dashboard", PEOPLE, _SERVER, until=self.at(18, "16:05"))
        self._use("Crawler", NIGHTLY, _LAPTOP, until=self.at(1, "11:27"))
        self._use("Trial", PEOPLE, _LAPTOP, until=self.at(2, "12:00"))

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
        newer = None
        for secret in key.secrets.filter(created_at__lt=last).order_by("-created_at"):
            # Servers switch to a new secret one by one; an older one is used for a little longer.
            used = (
                last if newer is None else newer + (min(last, secret.ends_at or last) - newer) / 2
            )
            ApiKeySecret.objects.filter(pk=secret.pk).update(last_used_at=used)
            newer = secret.created_at
