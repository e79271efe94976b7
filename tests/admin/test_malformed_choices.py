"""A malformed ID in a select with a search is an error of its field."""

from typing import Any, Final

import pytest
from django.contrib import admin
from django.test import Client

from organizations.models import Organization
from tests.admin.support import page, text

#: Every select with a search: its model and field.
FIELDS: Final = [
    (model, field)
    for model, shown in admin.site._registry.items()
    if model._meta.app_label in ("apikeys", "organizations")
    for field in shown.autocomplete_fields
]
MALFORMED: Final = ("abc", "1", "0", "-1", str(2**63), "1" * 500, "{}", " ", "\u0663", "a\0")


def test_there_are_such_fields() -> None:
    assert len(FIELDS) == 4


@pytest.mark.parametrize(("model", "field"), FIELDS, ids=str)
@pytest.mark.parametrize("value", MALFORMED)
def test_it_is_an_error_of_the_field(
    browser: Client, acme: Organization, model: Any, field: str, value: str
) -> None:
    answer = browser.post(page(model, "add"), {field: value})

    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors


def test_what_was_chosen_comes_back(browser: Client, acme: Organization) -> None:
    for model, field in FIELDS:
        if field == "organization":
            answer = browser.post(page(model, "add"), {field: str(acme.pk)})

            assert f'<option value="{acme.pk}" selected>' in text(answer)
