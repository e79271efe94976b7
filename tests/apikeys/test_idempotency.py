"""A form that is submitted twice creates one secret, also if both requests overlap."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.test import Client

from apikeys import services
from apikeys.models import ApiKey, ApiKeySecret
from apikeys.services import AlreadySubmitted, IdempotencyToken, Issued
from core.actors import Actor
from core.exceptions import Conflict
from organizations.models import AuditEvent, Organization, User
from tests.factories import SYSTEM
from tests.pages.support import developer, secret_in, sign_in
from tests.support.domain import acting, at_once, nothing_written, unwritable_trail

AT_ONCE = 6


def _split(outcomes: list[Any]) -> tuple[list[Issued], list[AlreadySubmitted]]:
    made = [outcome for outcome in outcomes if isinstance(outcome, Issued)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadySubmitted)]
    assert len(made) + len(refused) == len(outcomes), outcomes
    return made, refused


def test_one_form_at_once_makes_one_key(committed: None, acme: Organization) -> None:
    submission = IdempotencyToken(uuid4().hex)

    def create() -> Issued:
        return services.create_api_key(
            organization=acme, actor=SYSTEM, name="Production", submission=submission
        )

    made, refused = _split(at_once([create] * AT_ONCE))

    assert len(made) == ApiKey.objects.count() == ApiKeySecret.objects.count() == 1
    assert {refusal.key.pk for refusal in refused} == {made[0].key.pk}
    assert AuditEvent.objects.filter(event="api_key.created").count() == 1


@pytest.mark.parametrize("force", [False, True])
def test_one_form_at_once_rotates_once(
    committed: None, make_key: Callable[..., Issued], force: bool
) -> None:
    key, submission = make_key().key, IdempotencyToken(uuid4().hex)

    def rotate() -> Issued:
        return services.rotate_api_key(key, actor=SYSTEM, force=force, submission=submission)

    made, refused = _split(at_once([rotate] * AT_ONCE))

    assert len(made) == 1
    assert ApiKeySecret.objects.count() == 2
    assert {refusal.key.pk for refusal in refused} == {key.pk}
    assert AuditEvent.objects.filter(event="api_key.rotated").count() == 1


def test_a_page_that_is_sent_at_once_shows_one_secret(
    committed: None, acme: Organization, admin: User
) -> None:
    fields = {"name": "Production", "submission": str(uuid4())}
    browsers = [sign_in(admin) for _ in range(3)]

    def send(browser: Client) -> Callable[[], Any]:
        return lambda: browser.post(developer(acme, "keys/create/"), fields)

    answers = at_once([send(browser) for browser in browsers])

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert sum("sig_live_" in answer.content.decode() for answer in answers) == 1
    assert secret_in(next(a for a in answers if a.status_code == 201))
    assert ApiKey.objects.count() == 1


def test_the_same_id_in_two_organizations_is_two_forms(
    acme: Organization, globex: Organization
) -> None:
    submission = IdempotencyToken(uuid4().hex)

    for organization in (acme, globex):
        services.create_api_key(
            organization=organization, actor=SYSTEM, name="Production", submission=submission
        )

    assert ApiKey.objects.count() == 2


def test_another_form_with_a_taken_name_is_a_conflict_of_names(acme: Organization) -> None:
    services.create_api_key(
        organization=acme, actor=SYSTEM, name="Taken", submission=IdempotencyToken(uuid4().hex)
    )

    with pytest.raises(Conflict, match="A key named “Taken” already exists"):
        services.create_api_key(
            organization=acme, actor=SYSTEM, name="Taken", submission=IdempotencyToken(uuid4().hex)
        )


def test_a_form_whose_writes_were_undone_can_be_sent_again(
    acme: Organization, as_admin: Actor
) -> None:
    submission = IdempotencyToken(uuid4().hex)

    def create() -> Issued:
        return services.create_api_key(
            organization=acme, actor=as_admin, name="Production", submission=submission
        )

    with nothing_written(), unwritable_trail(), pytest.raises(DatabaseError):
        create()

    assert create().key.name == "Production"


def test_a_rotation_that_was_undone_can_be_sent_again(make_key: Callable[..., Issued]) -> None:
    key, submission = make_key().key, IdempotencyToken(uuid4().hex)

    with nothing_written(), unwritable_trail(), pytest.raises(DatabaseError):
        services.rotate_api_key(key, actor=SYSTEM, submission=submission)

    assert services.rotate_api_key(key, actor=SYSTEM, submission=submission).secret
    with pytest.raises(AlreadySubmitted):
        services.rotate_api_key(key, actor=SYSTEM, submission=submission, force=True)


# --- Calls with an `Idempotency-Key` ---

CALL = IdempotencyToken("8e03978e-40d5-43dd-bc93-6894a57f9324", b"x" * 32)


def test_a_call_whose_writes_were_undone_can_be_sent_again(
    manager: Issued, acme: Organization
) -> None:
    attempt, actor = CALL, acting(manager)

    def create() -> Issued:
        return services.create_api_key(
            organization=acme, actor=actor, name="Production", submission=attempt
        )

    with nothing_written(), unwritable_trail(), pytest.raises(DatabaseError):
        create()

    assert create().key.name == "Production"


def test_many_at_once_make_one_key(committed: None, acme: Organization, manager: Issued) -> None:
    actor, attempt = acting(manager), CALL

    def create() -> Issued:
        return services.create_api_key(
            organization=acme, actor=actor, name="Production", submission=attempt
        )

    outcomes = at_once([create] * 8)

    made = [outcome for outcome in outcomes if isinstance(outcome, Issued)]
    assert len(made) == 1
    codes = {str(outcome.code) for outcome in outcomes if not isinstance(outcome, Issued)}
    assert codes <= {"already_submitted", "request_in_progress"}
    assert ApiKey.objects.filter(name="Production").count() == 1
    assert AuditEvent.objects.filter(event="api_key.created", target_id=made[0].key.pk).count() == 1
