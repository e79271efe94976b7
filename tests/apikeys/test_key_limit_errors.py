"""Failed requests don't change the number of keys. Callers without permission learn nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError

from apikeys import services
from apikeys.services import AlreadySubmitted, IdempotencyToken
from core.actors import Actor
from core.exceptions import Conflict, DomainError, Forbidden, NotFound
from organizations.models import Organization
from tests.apikeys.test_key_limit import Make, limit, refused
from tests.factories import SYSTEM
from tests.support.domain import nothing_written, unwritable_trail

CALL = IdempotencyToken("sent-once-and-again", b"x" * 32)
FORM = IdempotencyToken("a-form")


def test_a_create_that_fails_takes_no_place(acme: Organization, make_key: Make) -> None:
    acme = limit(acme, 2)
    make_key(organization=acme, name="Taken")

    with nothing_written(), unwritable_trail(), pytest.raises(DatabaseError):
        make_key(organization=acme)
    with nothing_written(), pytest.raises(Conflict, match="already exists"):
        make_key(organization=acme, name="Taken")

    make_key(organization=acme)
    refused(partial(make_key, organization=acme))


def test_a_revocation_that_fails_frees_none(acme: Organization, make_key: Make) -> None:
    acme = limit(acme, 1)
    key = make_key(organization=acme).key

    with nothing_written(), unwritable_trail(), pytest.raises(DatabaseError):
        services.revoke_api_key(key, actor=SYSTEM)

    refused(partial(make_key, organization=acme))


@pytest.mark.parametrize("attempt", [CALL, FORM])
def test_at_the_limit_what_is_sent_again_is_told_what_it_has_made(
    attempt: IdempotencyToken, acme: Organization, make_key: Make
) -> None:
    acme = limit(acme, 1)
    made = make_key(organization=acme, name="Once", submission=attempt)

    with nothing_written(), pytest.raises(AlreadySubmitted) as again:
        make_key(organization=acme, name="Once", submission=attempt)

    assert again.value.key == made.key


@pytest.mark.parametrize("attempt", [CALL, FORM])
def test_an_attempt_that_found_no_place_is_forgotten(
    attempt: IdempotencyToken, acme: Organization, make_key: Make
) -> None:
    acme = limit(acme, 1)
    first = make_key(organization=acme).key
    refused(partial(make_key, organization=acme, name="Later", submission=attempt))
    services.revoke_api_key(first, actor=SYSTEM)

    assert make_key(organization=acme, name="Later", submission=attempt).secret


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("outsider", NotFound),
        ("foreigner", NotFound),
        ("member", Forbidden),
        ("reader", Forbidden),
    ],
)
def test_whoever_may_make_none_learns_nothing_of_the_limit(
    part: str,
    kind: type[DomainError],
    acme: Organization,
    globex: Organization,
    make_key: Make,
    act_as: Callable[[str], Actor],
) -> None:
    actor, told = act_as(part), list[object]()
    make_key()
    for keys in (None, 1):
        acme = limit(acme, keys)
        with nothing_written(), pytest.raises(kind) as refusal:
            make_key(organization=acme, actor=actor)
        told.append((refusal.value.message, refusal.value.code, refusal.value.problems))

    assert told[0] == told[1]


def test_what_is_refused_anyhow_is_refused_for_that(acme: Organization, make_key: Make) -> None:
    """A mistake can be mended before a place is made for the key."""
    wrong: list[dict[str, Any]] = [{"name": " "}, {"scopes": []}, {"environment": "moon"}]
    make_key()
    acme = limit(acme, 1)

    for fields in wrong:
        with nothing_written(), pytest.raises(DomainError) as refusal:
            make_key(organization=acme, **fields)
        assert refusal.value.problems
