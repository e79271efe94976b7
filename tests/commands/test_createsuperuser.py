"""Django's createsuperuser follows this installation's password rules."""

import builtins
import getpass
import io

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from organizations.models import User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

EMAIL = "sam@staff.example"
WEAK = [("", "too short"), ("1", "too short"), ("latchkey-1", "easy to guess here")]


class Terminal(io.StringIO):
    """Standard input that the command takes for a person's."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("password", "sentence"), WEAK)
def test_a_weak_password_of_the_environment_is_refused(
    password: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)

    with pytest.raises(CommandError, match=sentence):
        call_command("createsuperuser", "--noinput", "--email", EMAIL)
    assert not User.objects.exists()


def test_a_good_password_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--email", EMAIL, verbosity=0)

    assert authenticate(username=EMAIL, password=PASSWORD)
    assert User.objects.get().is_staff


@pytest.mark.parametrize(("password", "sentence"), WEAK[1:])
def test_a_person_cannot_bypass_the_rules(
    password: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt="": password)
    monkeypatch.setattr(builtins, "input", lambda prompt="": "y")

    with pytest.raises(CommandError, match=sentence):
        call_command("createsuperuser", "--email", EMAIL, stdin=Terminal(), stderr=io.StringIO())
    assert not User.objects.exists()
