"""Limits, words and data listed in the documents match the code."""

import re

from allauth.account import app_settings
from django.apps import apps

from config.env import ROOT
from config.settings import base

OPERATIONS = (ROOT / "docs/operations/README.md").read_text()
SECURITY = (ROOT / "docs/security/README.md").read_text()
#: Ways that are switched off: no codes by mail or telephone.
UNUSED = {"request_login_code", "change_phone", "verify_phone"}


def _section(text: str, title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def test_the_limits_of_attempts_are_those_of_the_text() -> None:
    section = _section(OPERATIONS, "Authentication methods")
    written = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|$", section, re.MULTILINE))
    limits = {name: limit for name, limit in app_settings.RATE_LIMITS.items() if limit}

    assert written == {name: limit for name, limit in limits.items() if name not in UNUSED}
    assert not app_settings.LOGIN_BY_CODE_ENABLED


def test_the_barred_words_are_those_of_the_text() -> None:
    section = _section(OPERATIONS, "Passwords")
    quoted = set(re.findall(r"“(\w+)”", section))
    settings = {"SITE_NAME": base.SITE_NAME, "API_KEY_BRAND": base.API_KEY_BRAND}
    named = {value for name, value in settings.items() if f"`{name}`" in section}

    assert len(named) == 2
    assert quoted | named == set(base.PASSWORD_BARRED_WORDS)


def test_every_table_has_a_class() -> None:
    classes = re.findall(r"^\| [1-5], .*\| (.+) \|$", _section(SECURITY, "Data"), re.MULTILINE)
    sorted_in = set(re.findall(r"`(\w+)`", " ".join(classes)))
    models = {model.__name__ for model in apps.get_models(include_auto_created=True)}

    assert len(classes) == 5
    assert sorted_in == models
