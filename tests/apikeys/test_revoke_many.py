"""Revoking several keys, and the keys that they created, in one operation."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued, created_keys
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core import transactions
from core.actors import Actor
from core.exceptions import Conflict, ErrorCode, Invalid, NotFound
from organizations.audit import EventNotWritten
from organizations.models import AuditEvent, Organization, User
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, IssuedKeyFactory, OrganizationFactory
from tests.pages.support import add_many_keys
from tests.support.api import MakeKey
from tests.support.domain import SECRET, acting, at_once, nothing_written, person, unwritable_trail

Create = Callable[[Issued, str], Issued]


@pytest.fixture
def create() -> Create:
    """A key that another one creates."""

    def make(maker: Issued, name: str) -> Issued:
        issued: Issued = IssuedKeyFactory.create(
            organization=maker.key.organization, name=name, scopes=ALL_SCOPES, actor=acting(maker)
        )
        return issued

    return make


def _live() -> set[str]:
    return set(ApiKey.objects.unrevoked().values_list("name", flat=True))


def _told() -> list[tuple[str, dict[str, object]]]:
    """The trail's revocations: whose, and their details."""
    events = AuditEvent.objects.filter(event="api_key.revoked").order_by("id")
    return [(event.target_label, event.details) for event in events]


def test_each_key_is_refused_and_has_an_event(make_key: MakeKey, admin: User) -> None:
    keys = [make_key(name=f"Key {n}") for n in range(3)]

    revoked = services.revoke_api_keys(
        [keys[n].key for n in (2, 0)], actor=person(admin), reason="Leaked."
    )

    assert [key.name for key in revoked] == ["Key 2", "Key 0"]
    assert [verify(issued.secret).refusal for issued in keys] == [
        Refusal.REVOKED,
        None,
        Refusal.REVOKED,
    ]
    assert len({key.revoked_at for key in revoked}) == 1
    assert _told() == [("Key 2", {"reason": "Leaked."}), ("Key 0", {"reason": "Leaked."})]


def test_a_key_that_is_given_twice_is_taken_once(issued: Issued) -> None:
    revoked = services.revoke_api_keys([issued.key, issued.key], actor=SYSTEM)

    assert len(revoked) == len(_told()) == 1


def test_revoked_keys_stay_as_they_are(make_key: MakeKey) -> None:
    old, new = make_key(name="Old").key, make_key(name="New").key
    ended = services.revoke_api_key(old, actor=SYSTEM).revoked_at

    revoked = services.revoke_api_keys([old, new], actor=SYSTEM)

    assert revoked[0].revoked_at == ended
    assert [name for name, _ in _told()] == ["Old", "New"]
    with nothing_written():
        services.revoke_api_keys([old, new], actor=SYSTEM, reason="Again.")


def test_without_cascade_what_a_key_created_stays(manager: Issued, create: Create) -> None:
    child = create(manager, "Child")

    services.revoke_api_keys([manager.key], actor=SYSTEM)

    assert verify(child.secret).refusal is None


def test_a_cascade_takes_what_a_key_created_and_what_that_created(
    manager: Issued, reader: Issued, create: Create
) -> None:
    child = create(manager, "Child")
    create(child, "Grandchild")
    create(manager, "Sister")

    revoked = services.revoke_api_keys([child.key], actor=SYSTEM, cascade=True)

    assert [key.name for key in revoked] == ["Child", "Grandchild"]
    assert _live() == {"Manager", "Reader", "Sister"}
    assert _told() == [("Child", {}), ("Grandchild", {"cascade": True})]


def test_a_cascade_follows_revoked_keys(manager: Issued, create: Create) -> None:
    """Otherwise the holder of a leaked key hides what it created by deleting what is between."""
    child = create(manager, "Child")
    create(child, "Grandchild")
    services.revoke_api_key(child.key, actor=SYSTEM)
    services.revoke_api_key(manager.key, actor=SYSTEM)

    revoked = services.revoke_api_keys([manager.key], actor=SYSTEM, cascade=True)

    assert [key.name for key in revoked] == ["Manager", "Grandchild"]
    assert not _live()


def test_a_circle_of_makers_is_walked_once(manager: Issued, create: Create) -> None:
    child = create(manager, "Child")
    with connection.cursor() as cursor:  # which nothing but a change of the database can do
        field = ApiKey._meta.pk
        ids = [field.get_db_prep_value(key.key.pk, connection) for key in (child, manager)]
        cursor.execute("UPDATE apikeys_apikey SET created_by_key_id = %s WHERE id = %s", ids)

    assert created_keys.created_by([manager.key.pk]) == {child.key.pk, manager.key.pk}
    services.revoke_api_keys([manager.key], actor=SYSTEM, cascade=True)
    assert not _live()


def test_a_key_revokes_itself_with_others(manager: Issued, reader: Issued) -> None:
    services.revoke_api_keys([reader.key, manager.key], actor=acting(manager))

    assert not _live()


def test_keys_of_several_organizations_are_for_staff_and_the_system(
    reader: Issued, foreigner: Issued, admin: User, staff: User
) -> None:
    keys = [reader.key, foreigner.key]
    with nothing_written(), pytest.raises(NotFound):
        services.revoke_api_keys(keys, actor=person(admin))

    services.revoke_api_keys(keys, actor=Actor.staff(staff.pk, "Sam Staff"))

    assert not _live()


def test_a_test_key_revokes_nothing_where_a_live_key_is_in_the_list(
    tester: Issued, reader: Issued, create: Create
) -> None:
    child = create(tester, "Child")

    with nothing_written(), pytest.raises(NotFound):
        services.revoke_api_keys([child.key, reader.key], actor=acting(tester), cascade=True)


def test_a_key_that_there_is_not_revokes_none(reader: Issued, acme: Organization) -> None:
    with nothing_written(), pytest.raises(NotFound):
        services.revoke_api_keys([reader.key, ApiKey(organization=acme)], actor=SYSTEM)


def test_a_reason_that_the_trail_must_not_keep_revokes_nothing(
    reader: Issued, manager: Issued
) -> None:
    with nothing_written(), pytest.raises(Invalid) as refusal:
        services.revoke_api_keys([reader.key, manager.key], actor=SYSTEM, reason=SECRET)

    assert refusal.value.code is ErrorCode.CONTAINS_SECRET


def test_a_trail_that_cannot_be_written_leaves_nothing(manager: Issued, create: Create) -> None:
    create(manager, "Child")

    with nothing_written(), unwritable_trail(), pytest.raises(EventNotWritten):
        services.revoke_api_keys([manager.key], actor=SYSTEM, cascade=True)


def _many_children(maker: Issued, admin: User, number: int) -> None:
    add_many_keys(maker.key.organization, admin, number)
    with transactions.allowed():
        ApiKey.objects.filter(name__startswith="Bulk").update(created_by_key=maker.key)


def test_more_than_one_call_may_revoke_is_refused_before_anything_is_done(
    manager: Issued, admin: User
) -> None:
    _many_children(manager, admin, services.MOST_REVOKED)

    with nothing_written(), pytest.raises(Conflict, match="more than 1,000 keys") as refusal:
        services.revoke_api_keys([manager.key], actor=SYSTEM, cascade=True)
    keys = list(ApiKey.objects.all())
    with nothing_written(), pytest.raises(Conflict) as too_many:
        services.revoke_api_keys(keys, actor=SYSTEM)

    assert refusal.value.code is too_many.value.code is ErrorCode.TOO_MANY_KEYS
    assert [refusal.value.problems[0].field, too_many.value.problems[0].field] == ["cascade", "ids"]
    revoked = services.revoke_api_keys(keys[:-1], actor=SYSTEM)
    assert len(revoked) == services.MOST_REVOKED


def test_a_key_that_created_too_many_to_follow_is_refused(
    manager: Issued, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(created_keys, "MOST_FOLLOWED", 20)
    _many_children(manager, admin, 20)
    services.revoke_api_keys([manager.key], actor=SYSTEM, cascade=True)
    one_more = IssuedKeyFactory.create(organization=manager.key.organization)
    with transactions.allowed():
        ApiKey.objects.filter(pk=one_more.key.pk).update(created_by_key=manager.key)

    with nothing_written(), pytest.raises(Conflict, match="created more than 20 others"):
        services.revoke_api_keys([manager.key], actor=SYSTEM, cascade=True)


def _queries(keys: list[ApiKey], admin: User, *, cascade: bool) -> int:
    with CaptureQueriesContext(connection) as queries:
        services.revoke_api_keys(keys, actor=person(admin), cascade=cascade)
    return len(queries)


@pytest.mark.parametrize("cascade", [False, True])
def test_queries_do_not_grow_with_the_keys(
    acme: Organization, admin: User, manager: Issued, cascade: bool
) -> None:
    _many_children(manager, admin, 61)
    keys = list(ApiKey.objects.exclude(pk=manager.key.pk).select_related("organization"))

    few, many = (
        _queries(keys[:1], admin, cascade=cascade),
        _queries(keys[1:], admin, cascade=cascade),
    )

    policy, savepoints, locks, write, event = 1, 2, 2, 1, 1
    followed = 2 if cascade else 0
    assert few == many == policy + savepoints + locks + write + event + followed


@pytest.mark.usefixtures("committed")
class TestRaces:
    """With real commits."""

    def test_overlapping_lists_in_other_orders_never_wait_for_each_other(self) -> None:
        organization = OrganizationFactory.create()
        keys = [IssuedKeyFactory.create(organization=organization).key for _ in range(12)]
        lists = [keys, keys[::-1], keys[4:] + keys[:4], keys[6:][::-1] + keys[:6]] * 2

        revoke = partial(services.revoke_api_keys, actor=SYSTEM)
        outcomes = at_once([partial(revoke, chosen) for chosen in lists])

        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert len({key.revoked_at for outcome in outcomes for key in outcome}) == 1
        assert len(_told()) == len(keys)

    def test_a_key_that_is_being_created_is_waited_for_and_taken(self, create: Create) -> None:
        maker: Issued = IssuedKeyFactory.create(scopes=ALL_SCOPES)
        created = threading.Event()

        def create_slowly() -> None:
            with transaction.atomic():
                create(maker, "Child")
                created.set()
                time.sleep(0.3)  # the other one has found no child, and waits

        def revoke() -> None:
            created.wait(10)
            services.revoke_api_keys([maker.key], actor=SYSTEM, cascade=True)

        outcomes = at_once([create_slowly, revoke])

        assert outcomes == [None, None]
        assert not _live()
