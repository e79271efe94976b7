"""Shared fixtures: two organizations, their users and keys, and clients."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from pytest_django import Settings

from apikeys import triggers as key_triggers
from apikeys.ratelimits import limiter
from apikeys.services import Issued
from apikeys.usage.recorder import recorder
from apikeys.verification import guess_limit, key_cache
from core import bulkheads, cooldowns
from core import triggers as core_triggers
from core.actors import Actor
from organizations import triggers as organization_triggers
from organizations.models import AuditEvent, Organization, User
from organizations.roles import Role
from tests.factories import IssuedKeyFactory, MembershipFactory, OrganizationFactory, UserFactory
from tests.support import sqlite_locks
from tests.support.client import ApiClient
from tests.support.domain import actor_called
from tests.support.logs import Lines, captured
from tests.support.tiers import slow_items

pytest_plugins = ["tests.security.canary.plugin"]

ALL_SCOPES = [
    "trademarks:read",
    "search:read",
    "portfolios:manage",
    "events:read",
    "api-keys:manage",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what `make test` leaves out, before `-m` selects."""
    for item in slow_items(items):
        item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """The database of the tests, whose file must not be opened beside SQLite."""
    if connection.vendor == "sqlite":
        sqlite_locks.guard(str(connection.settings_dict["NAME"]))


@pytest.fixture(autouse=True)
def no_attempts_counted() -> None:
    """Each test begins with none of the attempts and guesses that another has made."""
    cache.clear()
    guess_limit.reset()
    cooldowns.reset()


@pytest.fixture(autouse=True)
def no_usage_open() -> Iterator[None]:
    """What a test has left uncounted is not counted in another."""
    yield
    recorder.discard()


@pytest.fixture
def bulkheads_of_four() -> Iterator[None]:
    """This process is a worker with four threads, so that two may wait."""
    bulkheads.limit(4)
    yield
    bulkheads.limit(0)


@pytest.fixture
def no_place_free(bulkheads_of_four: None) -> Iterator[None]:
    """Both places are taken by other organizations."""
    taken = [bulkheads.Place("waiting", uuid4()) for _ in range(2)]
    yield
    for place in taken:
        place.release()
    assert bulkheads.taken() == 0


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Real commits, for tests with threads and processes.

    The flush that cleans up after them empties all tables, which the triggers refuse; the flush
    itself puts them back. The database knows no way around them, so only tests remove them.
    """
    yield
    key_cache.stop()
    for triggers in (organization_triggers, key_triggers):
        core_triggers.remove(connection, (*triggers.TRIGGERS, *triggers.CHANGES))


@pytest.fixture
def admin(db: None) -> User:
    """The admin of Acme."""
    return UserFactory.create(email="ada@acme.example", name="Ada Acme")


@pytest.fixture
def acme(admin: User) -> Organization:
    """The organization that most tests are about."""
    organization: Organization = OrganizationFactory.create(name="Acme", admin=admin)
    return organization


@pytest.fixture
def member(acme: Organization) -> User:
    """A member of Acme who is no admin."""
    user = UserFactory.create(email="max@acme.example", name="Max Member")
    MembershipFactory.create(organization=acme, user=user, role=Role.MEMBER)
    return user


@pytest.fixture
def outsider(db: None) -> User:
    """The admin of Globex."""
    return UserFactory.create(email="gina@globex.example", name="Gina Globex")


@pytest.fixture
def globex(outsider: User) -> Organization:
    """The other organization, which must learn nothing of Acme."""
    organization: Organization = OrganizationFactory.create(name="Globex", admin=outsider)
    return organization


@pytest.fixture
def staff(db: None) -> User:
    """A member of staff with every permission."""
    return UserFactory.create(
        email="sam@latchkey.example", name="Sam Staff", is_staff=True, is_superuser=True
    )


@pytest.fixture
def as_admin(admin: User) -> Actor:
    """Acme's admin as one who acts."""
    return Actor.person(admin.id, str(admin))


@pytest.fixture
def make_key(acme: Organization) -> Callable[..., Issued]:
    """Makes a key of Acme, unless another organization is named."""

    def make(**fields: Any) -> Issued:
        issued: Issued = IssuedKeyFactory.create(**{"organization": acme, **fields})
        return issued

    return make


@pytest.fixture
def manager(make_key: Callable[..., Issued]) -> Issued:
    """Acme's key with every scope."""
    return make_key(name="Manager", scopes=ALL_SCOPES)


@pytest.fixture
def reader(make_key: Callable[..., Issued]) -> Issued:
    """Acme's key without the scope to manage keys."""
    return make_key(name="Reader", scopes=["search:read"])


@pytest.fixture
def foreigner(globex: Organization) -> Issued:
    """Globex's key with every scope."""
    issued: Issued = IssuedKeyFactory.create(organization=globex, name="Manager", scopes=ALL_SCOPES)
    return issued


@pytest.fixture
def tester(make_key: Callable[..., Issued]) -> Issued:
    """Acme's test key with every scope."""
    return make_key(name="Tester", scopes=ALL_SCOPES, environment="test")


@pytest.fixture
def act_as(request: pytest.FixtureRequest) -> Callable[[str], Actor]:
    """The actor who plays a part, by the name of its fixture."""
    return lambda part: actor_called(part, request)


@pytest.fixture
def call() -> ApiClient:
    """Calls the API."""
    return ApiClient()


@pytest.fixture
def events(db: None) -> Callable[..., list[AuditEvent]]:
    """The audit events so far with a name, oldest first; all of them without one."""

    def find(name: str = "") -> list[AuditEvent]:
        found = AuditEvent.objects.order_by("id")
        return list(found.filter(event=name) if name else found)

    return find


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines of the log while the test runs."""
    with captured() as lines:
        yield lines


@pytest.fixture
def set_limit(settings: Settings) -> Iterator[Callable[[int], None]]:
    """Lets the standard tier have so many requests a minute, counted by the real limiter.

    The high tier has a thousand.
    """

    def limit(requests: int) -> None:
        settings.RATE_LIMIT_TIERS = {"standard": f"{requests}/minute", "high": "1000/minute"}
        limiter.forget_limiter()

    yield limit
    limiter.forget_limiter()
