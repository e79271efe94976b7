"""Which passwords are allowed, and what password forms let browsers do."""

import re

import pytest
from django.test import Client

from config.env import ROOT
from config.settings import base
from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.pages.support import sign_in

CHANGE = "/accounts/password/change/"


def _change(user: User, new: str, old: str = PASSWORD) -> bool:
    """Whether the person has `new` for a password after asking for it."""
    fields = {"oldpassword": old, "password1": new, "password2": new}
    sign_in(user).post(CHANGE, fields)
    user.refresh_from_db()
    return user.check_password(new)


@pytest.mark.parametrize("weak", ["2short!", "password1", "iloveyou1", "ada@acme.example"])
def test_short_common_and_personal_ones_are_refused(
    acme: Organization, admin: User, weak: str
) -> None:
    assert not _change(admin, weak)


@pytest.mark.parametrize(
    "good",
    [
        "plainlettersonly",
        "mixed CASE, and spaces ",
        "8402 9175 5521",
        "žluťoučký kůň 🐎",
        "ab c" * 32,
    ],
)
def test_any_characters_and_lengths_are_taken_as_they_are(
    acme: Organization, admin: User, good: str
) -> None:
    assert _change(admin, good)
    assert not admin.check_password(good[:-1])
    assert not admin.check_password(good.swapcase() if good.swapcase() != good else good + " ")


def test_a_change_needs_the_present_one(acme: Organization, admin: User) -> None:
    assert not _change(admin, "quite another horse", old="not this one")


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", CHANGE])
def test_fields_are_masked_and_open_to_password_managers(
    acme: Organization, admin: User, path: str
) -> None:
    client = sign_in(admin) if path == CHANGE else Client()
    fields = re.findall(
        r'<input[^>]*name="\w*password\w*"[^>]*>', client.get(path).content.decode()
    )

    assert fields
    assert all('type="password"' in field for field in fields)
    assert all(re.search(r'autocomplete="(current|new)-password"', field) for field in fields)


def test_no_script_meddles_with_pasting() -> None:
    scripts = list((ROOT / "static/js").glob("*.js"))

    assert scripts
    assert not [s.name for s in scripts if re.search(r"\bpaste\b", s.read_text())]


def test_they_are_kept_as_argon2() -> None:
    assert base.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"


def test_nobody_is_there_by_default(db: None) -> None:
    assert not User.objects.exists()
