"""The demo's organizations, people, templates and keys."""

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from itertools import count
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apikeys import conf, services
from apikeys.models import ApiKey, KeyUsage
from apikeys.uses import Result
from organizations import services as organization_services
from organizations import writes
from organizations.actors import Actor
from organizations.models import Organization, User
from organizations.roles import Role

ADMIN: Final = "admin@acme.example"
MEMBER: Final = "member@acme.example"
OTHER_ADMIN: Final = "admin@globex.example"
STAFF: Final = "staff@latchkey.example"

_READ: Final = ["trademarks:read", "search:read", "events:read"]
#: Name, description, scopes, lifetime in days.
_TEMPLATES: Final[tuple[tuple[str, str, list[str], int | None], ...]] = (
    ("Production", "Servers that customers reach.", [*_READ, "portfolios:manage"], None),
    ("Staging", "The rehearsal before production.", [*_READ, "portfolios:manage"], 90),
    ("CI", "Builds and tests.", ["search:read"], 30),
    ("Read only", "Everything that can be read.", _READ, 365),
    ("Search box", "The search of the public site.", ["search:read"], 180),
    ("Event feed", "Follows what happens.", ["events:read"], 365),
    ("Watch service", "Trademark monitoring.", ["trademarks:read", "events:read"], 365),
    ("Portfolio import", "The nightly import.", ["portfolios:manage"], 90),
    ("Reporting", "Dashboards and spreadsheets.", ["trademarks:read", "search:read"], 180),
    ("Contractor", "Somebody who leaves again.", ["search:read"], 14),
    ("Incident", "Short-lived access while something is broken.", _READ, 1),
    ("Key management", "Automation that rotates keys.", ["api-keys:manage"], 90),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the first start shows: the account and its one working key, in plain text."""

    account_id: str
    secret: str = field(repr=False)


def is_seeded() -> bool:
    """Whether the demo's data is there."""
    return User.objects.filter(email=ADMIN).exists()


def renew_password(password: str) -> None:
    """Gives the demo's people the password that is shown, if the secrets were made anew."""
    for user in User.objects.filter(email__in=[ADMIN, MEMBER, OTHER_ADMIN, STAFF]):
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])


def free_name() -> str:
    """A name that no key of Acme has yet."""
    taken = set(ApiKey.objects.filter(organization__slug="acme").values_list("name", flat=True))
    return next(name for n in count(1) if (name := f"Another {n}") not in taken)


@transaction.atomic
def seed(password: str) -> Demo:
    """Makes everything at once or nothing."""
    admin = User.objects.create_user(ADMIN, password, name="Ada Acme")
    member = User.objects.create_user(MEMBER, password, name="Max Member")
    other_admin = User.objects.create_user(OTHER_ADMIN, password, name="Gina Globex")
    User.objects.create_superuser(STAFF, password, name="Sam Staff")
    system = Actor.system("demo")
    acme = organization_services.create_organization(name="Acme", admin=admin, actor=system)
    globex = organization_services.create_organization(
        name="Globex", admin=other_admin, actor=system
    )
    ada = Actor.person(admin.id, str(admin))
    organization_services.add_member(acme, user=member, role=Role.MEMBER, actor=ada)
    _seed_templates(acme, ada)
    secret = _seed_keys(acme, ada)
    gina = Actor.person(other_admin.id, str(other_admin))
    services.create_api_key(organization=globex, actor=gina, name="Production")
    return Demo(acme.public_id, secret)


def _seed_templates(organization: Organization, actor: Actor) -> None:
    for name, description, scopes, lifetime_days in _TEMPLATES:
        services.create_template(
            organization=organization,
            actor=actor,
            name=name,
            description=description,
            scopes=scopes,
            lifetime_days=lifetime_days,
        )


def _seed_keys(acme: Organization, ada: Actor) -> str:
    """A key or two in each state; returns the secret of the one that is shown."""
    now = timezone.now()

    def make(name: str, **options: Any) -> services.Issued:
        return services.create_api_key(organization=acme, actor=ada, name=name, **options)

    shown = make("Production", scopes=list(conf.scopes()))
    robot = organization_services.create_service_account(
        acme, name="Nightly import", description="Imports portfolios.", actor=ada
    )
    make("Nightly import", service_account=robot, scopes=["portfolios:manage"])
    make("Staging", environment="test")
    make("Contractor", expires_at=now + timedelta(days=3), scopes=["search:read"])
    rotating = make("Search box", scopes=["search:read"])
    services.rotate_api_key(rotating.key, actor=ada)
    services.set_api_key_enabled(make("Old dashboard").key, enabled=False, actor=ada)
    services.revoke_api_key(make("Leaked in March").key, actor=ada, reason="Found in a log.")
    _backdate(make("Trial", scopes=["search:read"]).key, expires_at=now - timedelta(days=2))
    idle = make("Forgotten", scopes=["search:read"]).key
    _backdate(idle, last_used_at=now - timedelta(days=47), last_used_ip="192.0.2.7")
    busy = [shown.key, rotating.key]
    for key in busy:
        _backdate(key, last_used_at=now - timedelta(minutes=12), last_used_ip="192.0.2.7")
    _seed_usage(busy)
    return shown.secret


def _seed_usage(keys: list[ApiKey]) -> None:
    """Ninety days of requests that rise and fall with the week, a few of them refused."""
    today = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    rows = [
        KeyUsage(key=key, hour=today - timedelta(days=day), result=result, requests=requests)
        for place, key in enumerate(keys, start=1)
        for day in range(90)
        for result, requests in (
            (Result.OK, (4000 - 30 * day + 900 * (day % 7)) // (place * place)),
            (Result.CLIENT_ERROR, 40 * (day % 5) // place),
            (Result.RATE_LIMITED, 25 * (day % 11 == 0)),
        )
        if requests
    ]
    KeyUsage.objects.bulk_create(rows)


def _backdate(key: ApiKey, **past: Any) -> None:
    """Gives a key a past that no service would: its demo state is the passing of time."""
    created_at = timezone.now() - timedelta(days=90)
    with writes.allowed():
        ApiKey.objects.filter(pk=key.pk).update(created_at=created_at, **past)
