"""Verification of presented secrets."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apikeys import services, tokens
from apikeys.models import ApiKey, ApiKeySecret, Status
from apikeys.models.status import status_since
from apikeys.services import Issued
from apikeys.tokens import Environment, read_peppers
from apikeys.verification.types import Refusal
from apikeys.verification.verify import find_refusal, verify
from core.transactions import allowed
from organizations.models import Organization, ServiceAccount
from tests.apikeys.plans import plan_of
from tests.factories import SYSTEM, ServiceAccountFactory

Make = Callable[..., Issued]
#: In the order in which they are told.
REASONS = [
    Refusal.REVOKED,
    Refusal.ROTATED,
    Refusal.EXPIRED,
    Refusal.DISABLED,
    Refusal.SERVICE_ACCOUNT_DISABLED,
    Refusal.API_ACCESS_DISABLED,
]


@pytest.fixture
def robotic(acme: Organization, make_key: Make) -> Issued:
    """A key that belongs to a service account."""
    return make_key(service_account=ServiceAccountFactory.create(organization=acme))


def _give(reason: Refusal, issued: Issued) -> None:
    """Makes `reason` true, past the services, which refuse some of the combinations."""
    ago = timezone.now() - timedelta(hours=1)
    key = ApiKey.objects.filter(pk=issued.key.pk)
    with allowed():
        match reason:
            case Refusal.REVOKED:
                key.update(revoked_at=ago)
            case Refusal.ROTATED:
                ApiKeySecret.objects.filter(key=issued.key).update(ends_at=ago)
            case Refusal.EXPIRED:
                key.update(expires_at=ago)
            case Refusal.DISABLED:
                key.update(disabled_at=ago)
            case Refusal.SERVICE_ACCOUNT_DISABLED:
                ServiceAccount.objects.update(disabled_at=ago)
            case _:
                Organization.objects.update(api_access_enabled=False)


def test_a_genuine_secret_finds_all_that_decides_about_it(
    acme: Organization, robotic: Issued
) -> None:
    outcome = verify(robotic.secret)

    found = outcome.found
    assert outcome.refusal is None
    assert outcome.since is None
    assert found
    assert (found.key_id, found.organization_id) == (robotic.key.id, acme.id)
    assert (found.name, found.environment) == (robotic.key.name, "live")
    assert (found.scopes, found.prefix) == (robotic.key.scopes, robotic.key.key_prefix)
    assert (found.api_access_enabled, found.tier) == (True, "standard")
    assert (found.last_used_at, found.ends_at, found.service_account_disabled_at) == (None,) * 3


@pytest.mark.parametrize("revoked", [None, -1, 1])
@pytest.mark.parametrize("expires", [None, -1, 0, 1])
@pytest.mark.parametrize("disabled", [None, -1, 1])
def test_a_key_is_refused_for_the_status_that_is_shown_of_it(
    revoked: int | None, expires: int | None, disabled: int | None, robotic: Issued
) -> None:
    now = timezone.now()
    found = verify(robotic.secret).found
    assert found
    dates = [
        None if hours is None else now + timedelta(hours=hours)
        for hours in (revoked, expires, disabled)
    ]
    row = found._replace(revoked_at=dates[0], expires_at=dates[1], disabled_at=dates[2])

    status, since = status_since(row, now)

    refusal = None if status is Status.ACTIVE else Refusal(f"key_{status}")
    assert find_refusal(row, now) == (refusal, since)


@pytest.mark.parametrize("position", range(len(REASONS)))
def test_of_several_reasons_the_first_is_told(position: int, robotic: Issued) -> None:
    for reason in reversed(REASONS[position:]):
        _give(reason, robotic)

    outcome = verify(robotic.secret)

    assert outcome.refusal is REASONS[position]
    assert outcome.found
    assert (outcome.since is None) is (outcome.refusal is Refusal.API_ACCESS_DISABLED)


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_alone_is_enough(reason: Refusal, robotic: Issued) -> None:
    _give(reason, robotic)

    assert verify(robotic.secret).refusal is reason


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(microseconds=1), None),
        (timedelta(0), Refusal.EXPIRED),
        (timedelta(microseconds=-1), Refusal.EXPIRED),
    ],
)
def test_a_key_ends_exactly_at_its_end(
    ahead: timedelta, expected: Refusal | None, make_key: Make
) -> None:
    end = timezone.now() + timedelta(days=1)
    issued = make_key(expires_at=end)

    with time_machine.travel(end - ahead, tick=False):
        outcome = verify(issued.secret)

    assert outcome.refusal is expected
    assert outcome.since == (end if expected else None)


def test_the_earlier_of_overlap_and_expiry_ends_a_secret(make_key: Make) -> None:
    """AB56."""
    end = timezone.now() + timedelta(hours=1)
    old = make_key(expires_at=end)
    services.rotate_api_key(old.key, actor=SYSTEM, grace_period=timedelta(days=1))

    with time_machine.travel(end, tick=False):
        assert verify(old.secret).refusal is Refusal.EXPIRED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: "",
        lambda s: s[:-1],
        lambda s: s + "0",
        lambda s: s.swapcase(),
        lambda s: s[:-1] + ("A" if s[-1] != "A" else "B"),
        lambda s: f" {s}",
        lambda s: f"{s}\n",
        lambda s: s[:20] + "\x00" + s[21:],
        lambda s: s[:20] + "\ud800" + s[21:],
        lambda s: s[:20] + "é" + s[21:],
        lambda s: s * 2000,
    ],
)
def test_a_malformed_string_costs_no_query(
    spoil: Callable[[str], str],
    issued: Issued,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """AB22."""
    with django_assert_num_queries(0):
        outcome = verify(spoil(issued.secret))

    assert (outcome.found, outcome.refusal) == (None, Refusal.MALFORMED)


def test_an_unknown_secret_costs_one_query(
    issued: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        outcome = verify(tokens.generate("sig", Environment.LIVE))

    assert (outcome.found, outcome.refusal) == (None, Refusal.UNKNOWN)


@pytest.mark.parametrize("peppers", [1, 2, 5])
def test_a_genuine_secret_costs_one_query_however_many_peppers_there_are(
    peppers: int,
    settings: Any,
    robotic: Issued,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    old = settings.API_KEY_PEPPERS.values[1].decode()
    newer = [f"{n}:{str(n) * 32}" for n in range(peppers, 1, -1)]
    settings.API_KEY_PEPPERS = read_peppers(",".join([*newer, f"1:{old}"]))

    with django_assert_num_queries(1):
        outcome = verify(robotic.secret)

    assert outcome.refusal is None


def test_two_secrets_with_the_same_displayed_prefix_both_work(make_key: Make) -> None:
    """AB31."""
    one, other = make_key(), make_key()
    with allowed():
        ApiKeySecret.objects.update(prefix="sig_live_same")

    found = [verify(issued.secret).found for issued in (one, other)]
    assert [f.key_id for f in found if f] == [one.key.id, other.key.id]


def test_a_secret_under_another_environment_is_no_secret(issued: Issued) -> None:
    body = issued.secret[:-6].replace("_live_", "_test_")

    assert verify(body + tokens.checksum(body)).refusal is Refusal.UNKNOWN


@pytest.mark.parametrize("peppers", ["", f"2:{'b' * 32},"])
def test_the_query_finds_its_row_by_the_unique_index_and_scans_no_table(
    peppers: str, settings: Any, robotic: Issued
) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"{peppers}1:{'a' * 32}")
    if connection.vendor == "postgresql":
        # A table of one page is always quicker to read whole; what counts is that it need not be.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

    plan = plan_of(lambda: verify(robotic.secret))

    if connection.vendor == "postgresql":
        assert "apikeys_apikeysecret_digest" in plan
        assert plan.count("Seq Scan") == plan.count("Seq Scan on organizations_clock")
    else:
        assert "SEARCH apikeys_apikeysecret USING INDEX" in plan
        assert "(digest=?)" in plan
        assert plan.count("SCAN") == plan.count("SCAN U0")  # the one row of the clock


def test_an_ip_address_that_guesses_is_told_when_to_come_again(
    acme: Organization,
    make_key: Make,
    settings: Settings,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.INVALID_KEYS_PER_MINUTE = 5  # and one more in each of two small budgets
    address, genuine = "192.0.2.1", make_key()
    guesses = [tokens.generate("sig", Environment.LIVE) for _ in range(8)]

    refusals = [verify(guess, address).refusal for guess in guesses[:6]]
    with django_assert_num_queries(0):
        refused = verify(guesses[6], address)

    assert refusals == [Refusal.UNKNOWN] * 6
    assert refused.refusal is Refusal.NOT_LOOKED_UP
    assert 1 <= refused.retry_after <= 60
    assert verify(guesses[7]).refusal is Refusal.UNKNOWN
    assert verify(genuine.secret).refusal is None
    assert verify(genuine.secret, address).refusal is None
