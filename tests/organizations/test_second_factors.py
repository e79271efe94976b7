"""Second factors are encrypted in the database. A migration encrypts existing rows."""

from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.db import connection
from django.test import Client

from organizations.models import User
from organizations.signin import encryption
from tests.factories import PASSWORD, UserFactory
from tests.support.logs import Lines
from tests.support.second_factors import code_of

migration: Any = import_module("organizations.migrations.0003_sealed_seeds")


def _kept(user: User) -> str:
    """All that the database has of a person's second factors, as it lies there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator ORDER BY id")
        return "\n".join(str(row[0]) for row in cursor.fetchall())


@pytest.fixture
def seed() -> str:
    seed: str = generate_totp_secret()
    return seed


@pytest.fixture
def person(db: None, seed: str) -> User:
    """Somebody with an app and recovery codes, of which the first is used up."""
    person = UserFactory.create()
    TOTP.activate(person, seed)
    codes = RecoveryCodes.activate(person)
    assert codes.validate_code(codes.generate_codes()[0])
    return person


def _codes(person: User) -> list[str]:
    kept = Authenticator.objects.get(user=person, type=Authenticator.Type.RECOVERY_CODES)
    unused: list[str] = kept.wrap().get_unused_codes()
    return unused


def _app_takes(person: User, seed: str) -> bool:
    kept = Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP)
    return bool(kept.wrap().validate_code(code_of(seed)))


def test_no_seed_is_in_the_database(person: User, seed: str) -> None:
    kept = Authenticator.objects.get(user=person, type=Authenticator.Type.RECOVERY_CODES)
    other = encryption.unseal(kept.data["seed"])

    assert len(other) >= 32
    assert seed not in _kept(person)
    assert other not in _kept(person)
    assert _app_takes(person, seed)


def test_the_migration_opens_and_seals_and_loses_nothing(person: User, seed: str) -> None:
    codes = _codes(person)
    assert len(codes) == 9

    migration.unseal(apps, None)
    assert seed in _kept(person)
    assert encryption._MARK not in _kept(person)
    assert _codes(person) == codes

    migration.seal(apps, None)
    assert seed not in _kept(person)
    assert _kept(person).count(encryption._MARK) == 2
    assert _codes(person) == codes
    assert _app_takes(person, seed)


def test_rows_that_are_still_in_the_clear_work(person: User, seed: str) -> None:
    migration.unseal(apps, None)

    assert _app_takes(person, seed)


def test_the_migration_leaves_alone_what_it_cannot_read(person: User, settings: Any) -> None:
    settings.SECRET_KEY = 10 * "fresh-"
    before = _kept(person)

    migration.unseal(apps, None)
    migration.seal(apps, None)

    assert _kept(person) == before


def test_a_seed_that_cannot_be_read_takes_no_code_and_is_no_error(
    person: User, seed: str, settings: Any, lines: Lines
) -> None:
    codes = _codes(person)
    settings.SECRET_KEY = 10 * "fresh-"
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})

    for code in (code_of(seed), codes[0], code_of("")):
        answer = client.post("/accounts/2fa/authenticate/", {"code": code})
        assert answer.status_code == 200
        assert answer.context["form"].errors["code"]

    told = [line for line in lines() if line["event"] == "second_factor_unreadable"]
    assert told
    assert {line["level"] for line in told} == {"error"}
