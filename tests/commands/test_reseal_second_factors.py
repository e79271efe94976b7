"""manage.py reseal_second_factors."""

from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.apps import apps
from django.core.management import CommandError, call_command

from organizations.models import User
from organizations.signin.encryption import Unreadable, unseal
from tests.factories import UserFactory

FRESH, NEWEST = 10 * "fresh-", 9 * "newest-"
migration: Any = import_module("organizations.migrations.0003_sealed_seeds")
pytestmark = pytest.mark.django_db


def _person() -> tuple[User, str]:
    """Somebody with an app, recovery codes and a passkey; and the app's seed."""
    person, seed = UserFactory.create(), generate_totp_secret()
    TOTP.activate(person, seed)
    RecoveryCodes.activate(person)
    passkey = {"name": "Laptop", "credential": {"id": "a"}}
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=passkey)
    return person, seed


def _run() -> tuple[str, str]:
    """What the command prints, and its complaint."""
    output, complaint = StringIO(), ""
    try:
        call_command("reseal_second_factors", stdout=output)
    except CommandError as error:
        complaint = str(error)
    return output.getvalue(), complaint


def _told(moved: int, there: int) -> str:
    return f"Encrypted with the newest SECRET_KEY: {moved}.\nAlready up to date: {there}.\n"


def _seed_of(person: User) -> str:
    return unseal(Authenticator.objects.get(user=person, type="totp").data["secret"])


def test_nobody_has_one() -> None:
    assert _run() == (_told(0, 0), "")


def test_it_moves_each_once_and_leaves_passkeys_alone(settings: Any) -> None:
    person, seed = _person()
    passkey = Authenticator.objects.values().get(type="webauthn")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = FRESH

    assert _run() == (_told(2, 0), "")
    assert _run() == (_told(0, 2), "")

    settings.SECRET_KEY_FALLBACKS = []
    assert _seed_of(person) == seed
    assert Authenticator.objects.values().get(type="webauthn") == passkey


def test_it_seals_what_is_in_the_clear() -> None:
    person, seed = _person()
    migration.unseal(apps, None)
    assert Authenticator.objects.get(user=person, type="totp").data["secret"] == seed

    assert _run() == (_told(2, 0), "")

    assert Authenticator.objects.get(user=person, type="totp").data["secret"] != seed
    assert _seed_of(person) == seed


def test_it_says_what_it_cannot_read_and_moves_the_rest(settings: Any) -> None:
    lost, _ = _person()
    before = settings.SECRET_KEY
    settings.SECRET_KEY = FRESH
    person, seed = _person()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEWEST, [FRESH]

    shown, complaint = _run()

    assert shown == _told(2, 0)
    assert complaint.startswith("Second factors that neither SECRET_KEY nor")
    assert "can decrypt: 2." in complaint
    assert seed not in shown + complaint
    assert _seed_of(person) == seed
    with pytest.raises(Unreadable):
        _seed_of(lost)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert _run() == (_told(2, 2), "")
