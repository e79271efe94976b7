"""AB09: a key can never grant more permissions than its own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apikeys import services
from apikeys.services import Issued
from core.exceptions import ErrorCode, Forbidden, Invalid
from organizations.models import Organization
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, TemplateFactory
from tests.support.domain import acting, every_row

Make = Callable[..., Issued]
TOMORROW = timezone.now() + timedelta(days=1)
NEXT_WEEK = timezone.now() + timedelta(days=7)
HELD = ["search:read", "api-keys:manage"]


@pytest.fixture
def lesser(make_key: Make) -> Issued:
    """A managing key with one more scope that ends tomorrow."""
    return make_key(name="Lesser", scopes=HELD, expires_at=TOMORROW)


@pytest.fixture
def stronger(make_key: Make) -> Issued:
    """A key with every scope and no end."""
    return make_key(name="Stronger", scopes=ALL_SCOPES)


def _refused(act: Callable[[], object], field: str, code: ErrorCode) -> bool:
    """Whether `act` is Forbidden for this reason and leaves everything as it was."""
    before = every_row()
    with pytest.raises(Forbidden) as refusal:
        act()
    (problem,) = refusal.value.problems
    return every_row() == before and (problem.field, problem.code) == (field, code)


def test_a_key_creates_none_with_a_scope_that_it_lacks(lesser: Issued, make_key: Make) -> None:
    assert _refused(
        lambda: make_key(
            actor=acting(lesser), scopes=["search:read", "events:read"], expires_at=TOMORROW
        ),
        "scopes",
        ErrorCode.INSUFFICIENT_SCOPE,
    )


@pytest.mark.parametrize("end", [None, NEXT_WEEK, TOMORROW + timedelta(microseconds=1)])
def test_a_key_creates_none_that_outlives_it(
    end: datetime | None, lesser: Issued, make_key: Make
) -> None:
    assert _refused(
        lambda: make_key(actor=acting(lesser), scopes=HELD, expires_at=end),
        "expires_at",
        ErrorCode.EXCEEDS_OWN_EXPIRY,
    )


def test_a_key_creates_its_equal(lesser: Issued, make_key: Make) -> None:
    child = make_key(actor=acting(lesser), scopes=HELD, expires_at=TOMORROW).key

    assert (child.scopes, child.expires_at) == (HELD, TOMORROW)


def test_without_scopes_the_child_gets_what_the_maker_holds_but_managing_keys(
    lesser: Issued, make_key: Make
) -> None:
    child = make_key(actor=acting(lesser), expires_at=TOMORROW).key

    assert child.scopes == ["search:read"]


def test_a_key_that_only_manages_keys_has_nothing_to_hand_out(make_key: Make) -> None:
    """AB15: no scopes never becomes all scopes."""
    bare = make_key(name="Bare", scopes=["api-keys:manage"])

    with pytest.raises(Invalid) as refusal:
        make_key(actor=acting(bare))

    assert refusal.value.problems[0].field == "scopes"


@pytest.mark.parametrize("environment", ["test", None])
def test_what_a_test_key_makes_is_a_test_key(
    environment: str | None, tester: Issued, make_key: Make
) -> None:
    assert make_key(actor=acting(tester), environment=environment).key.environment == "test"


def test_a_test_key_makes_no_live_key(tester: Issued, make_key: Make) -> None:
    assert _refused(
        lambda: make_key(actor=acting(tester), environment="live"),
        "key_type",
        ErrorCode.LIVE_KEY_REQUIRED,
    )


@pytest.mark.parametrize(("wanted", "made"), [(None, "live"), ("live", "live"), ("test", "test")])
def test_a_live_key_makes_both(
    wanted: str | None, made: str, manager: Issued, make_key: Make
) -> None:
    assert make_key(actor=acting(manager), environment=wanted).key.environment == made


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"scopes": ["events:read"]}, "scopes", ErrorCode.INSUFFICIENT_SCOPE),
        ({"scopes": [*HELD, "events:read"]}, "scopes", ErrorCode.INSUFFICIENT_SCOPE),
        ({"expires_at": None}, "expires_at", ErrorCode.EXCEEDS_OWN_EXPIRY),
        ({"expires_at": NEXT_WEEK}, "expires_at", ErrorCode.EXCEEDS_OWN_EXPIRY),
    ],
)
def test_a_key_widens_nothing_beyond_its_own_not_even_itself(
    changes: dict[str, Any], field: str, code: ErrorCode, lesser: Issued
) -> None:
    def widen() -> None:
        services.update_api_key(lesser.key, actor=acting(lesser), changes=changes)

    assert _refused(widen, field, code)


def test_a_key_puts_no_scope_of_its_own_on_one_that_outlives_it(
    lesser: Issued, make_key: Make
) -> None:
    """Or it would go on managing keys after its own end, through the other."""
    lasting = make_key(name="Lasting", scopes=["search:read"]).key

    def widen() -> None:
        services.update_api_key(lasting, actor=acting(lesser), changes={"scopes": HELD})

    assert _refused(widen, "expires_at", ErrorCode.EXCEEDS_OWN_EXPIRY)


def test_a_key_may_add_a_scope_that_it_holds_while_ending_the_other_in_time(
    lesser: Issued, make_key: Make
) -> None:
    lasting = make_key(name="Lasting", scopes=["search:read"]).key
    changes = {"scopes": HELD, "expires_at": TOMORROW}

    key = services.update_api_key(lasting, actor=acting(lesser), changes=changes)

    assert (key.scopes, key.expires_at) == (HELD, TOMORROW)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Renamed"},
        {"enabled": False},
        {"scopes": ["events:read"]},
        {"expires_at": NEXT_WEEK},
    ],
)
def test_a_key_may_narrow_a_stronger_one(
    changes: dict[str, Any], lesser: Issued, stronger: Issued
) -> None:
    services.update_api_key(stronger.key, actor=acting(lesser), changes=changes)

    stronger.key.refresh_from_db()
    assert all(getattr(stronger.key, field) == value for field, value in changes.items())


def test_a_key_prolongs_no_key_with_scopes_that_it_lacks(manager: Issued, make_key: Make) -> None:
    partial = make_key(name="Partial", scopes=HELD)
    ending = make_key(name="Ending", scopes=ALL_SCOPES, expires_at=TOMORROW)

    def prolong() -> None:
        services.update_api_key(
            ending.key, actor=acting(partial), changes={"expires_at": NEXT_WEEK}
        )

    assert _refused(prolong, "scopes", ErrorCode.INSUFFICIENT_SCOPE)


def test_a_key_enables_no_stronger_one(lesser: Issued, stronger: Issued) -> None:
    services.set_api_key_enabled(stronger.key, enabled=False, actor=SYSTEM)

    def enable() -> None:
        services.set_api_key_enabled(stronger.key, enabled=True, actor=acting(lesser))

    assert _refused(enable, "scopes", ErrorCode.INSUFFICIENT_SCOPE)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"scopes": ALL_SCOPES, "expires_at": TOMORROW}, "scopes", ErrorCode.INSUFFICIENT_SCOPE),
        ({"scopes": HELD}, "expires_at", ErrorCode.EXCEEDS_OWN_EXPIRY),
        ({"scopes": HELD, "expires_at": NEXT_WEEK}, "expires_at", ErrorCode.EXCEEDS_OWN_EXPIRY),
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_a_key_learns_no_secret_of_a_stronger_one(
    fields: dict[str, Any],
    field: str,
    code: ErrorCode,
    force: bool,
    lesser: Issued,
    make_key: Make,
) -> None:
    stronger = make_key(**fields)

    def rotate() -> None:
        services.rotate_api_key(stronger.key, actor=acting(lesser), force=force)

    assert _refused(rotate, field, code)


def test_a_key_rotates_itself(lesser: Issued) -> None:
    issued = services.rotate_api_key(lesser.key, actor=acting(lesser))

    assert issued.key == lesser.key


def test_a_key_revokes_a_stronger_one(lesser: Issued, stronger: Issued) -> None:
    """Ending authority is no gain of authority."""
    key = services.revoke_api_key(stronger.key, actor=acting(lesser))

    assert key.revoked_at


def test_a_key_puts_no_scope_into_a_template_that_it_lacks(
    acme: Organization, lesser: Issued
) -> None:
    template = TemplateFactory.create(organization=acme, scopes=["trademarks:read"])
    actor = acting(lesser)

    def create() -> None:
        services.create_template(
            organization=acme, actor=actor, name="Wide", scopes=["search:read", "events:read"]
        )

    def update() -> None:
        changes = {"scopes": ["trademarks:read", "events:read"]}
        services.update_template(template, actor=actor, changes=changes)

    assert _refused(create, "scopes", ErrorCode.INSUFFICIENT_SCOPE)
    assert _refused(update, "scopes", ErrorCode.INSUFFICIENT_SCOPE)


def test_a_key_may_leave_scopes_in_a_template_that_it_lacks(
    acme: Organization, lesser: Issued
) -> None:
    template = TemplateFactory.create(organization=acme, scopes=["trademarks:read"])
    changes = {"scopes": ["trademarks:read", "search:read"], "name": "Both"}

    services.update_template(template, actor=acting(lesser), changes=changes)

    template.refresh_from_db()
    assert template.scopes == ["trademarks:read", "search:read"]
