"""Passwords that consist mostly of site-specific words are rejected."""

from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from organizations.models import Organization, User
from organizations.signin.passwords import refuse_words
from tests.factories import PASSWORD
from tests.pages.support import sign_in

WORDS = ["Latchkey", "Blue Heron Labs", "sig"]
CHANGE = "/accounts/password/change/"


@pytest.mark.parametrize(
    "weak",
    [
        "latchkey",
        "Latchkey2026!",
        "LATCHKEY-latchkey-latchkey",
        "l4tchk3y1234567",
        "|@tchkey-abcdef",
        "blueheronlabs!",
        "Heron_Labs_2026",
        "blue heron labs 26",
    ],
)
def test_what_is_little_more_than_such_words_is_refused(weak: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        refuse_words(weak, WORDS)

    assert refusal.value.code == "password_barred_words"
    assert weak not in str(refusal.value)


@pytest.mark.parametrize(
    "good",
    [
        "a latchkey under the mat",  # a word within enough others
        "latchkey12345678",
        "signpost",  # too short a word to be barred
        "x",  # the length is for another validator
        "",
        "žluťoučký kůň 🐎",
        PASSWORD,
    ],
)
def test_what_has_enough_beside_them_is_taken(good: str) -> None:
    refuse_words(good, WORDS)


def test_one_word_left_out_makes_no_other() -> None:
    refuse_words("latblueheronlabschkey-", ["latchkey", "blueheronlabs"])
    with pytest.raises(ValidationError):
        refuse_words("lat-blueheronlabs", ["latchkey", "blueheronlabs"])


@pytest.mark.parametrize("weak", ["Latchkey2026!", "admin@Password", "welcome-Heron9"])
def test_words_of_the_settings_are_barred(settings: Any, weak: str) -> None:
    validate_password("welcome-Goshawk9")
    settings.PASSWORD_BARRED_WORDS = [*settings.PASSWORD_BARRED_WORDS, "Heron"]

    with pytest.raises(ValidationError):
        validate_password(weak)


def test_the_name_of_ones_organization_is_barred(
    acme: Organization, admin: User, outsider: User
) -> None:
    weak = {"oldpassword": PASSWORD, "password1": "Acme-99!", "password2": "Acme-99!"}

    answer = sign_in(admin).post(CHANGE, weak)

    assert "consists mostly of words that are easy to guess" in answer.content.decode()
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)
    sign_in(outsider).post(CHANGE, weak)
    outsider.refresh_from_db()
    assert outsider.check_password("Acme-99!")


def test_signing_up_bars_the_name_of_the_organization_to_be(db: None) -> None:
    newcomer = {"email": "new@heron.example", "organization": "Blue Heron Labs"}

    answer = Client().post("/accounts/signup/", {**newcomer, "password1": "BlueHeron26!"})
    assert list(answer.context["form"].errors) == ["password1"]
    assert not User.objects.exists()

    Client().post("/accounts/signup/", {**newcomer, "password1": PASSWORD})
    assert User.objects.get().check_password(PASSWORD)
