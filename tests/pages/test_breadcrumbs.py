"""Breadcrumbs of the pages that show one form, which dialogs don't have."""

import re
from collections.abc import Callable

import pytest

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.pages.support import developer, html, sign_in


@pytest.mark.parametrize(
    ("path", "crumbs"),
    [
        ("keys/create/", ["Developer", "API keys", "Create API key"]),
        ("keys/{key}/edit/", ["Developer", "API keys", "Edit “Production”"]),
        ("keys/{key}/rotate/", ["Developer", "API keys", "Production", "Rotate"]),
        ("keys/{key}/switch/", ["Developer", "API keys", "Production", "Disable"]),
        ("keys/{key}/delete/", ["Developer", "API keys", "Production", "Delete"]),
        ("keys/delete/?key={key}", ["Developer", "API keys", "Delete keys"]),
        ("keys/disable/?key={key}", ["Developer", "API keys", "Disable keys"]),
        ("keys/enable/?key={key}", ["Developer", "API keys", "Enable keys"]),
        ("test/", ["Developer", "API keys", "Test API key"]),
        ("templates/create/", ["Developer", "Templates", "Create template"]),
    ],
)
def test_a_form_leads_back_to_its_list(
    acme: Organization,
    admin: User,
    make_key: Callable[..., Issued],
    path: str,
    crumbs: list[str],
) -> None:
    client = sign_in(admin)
    key = make_key(name="Production").key

    page = client.get(developer(acme, path.format(key=key.public_id))).content.decode()

    nav = re.search(r'<nav class="crumbs".*?</nav>', page, re.DOTALL)
    assert nav is not None
    assert [" ".join(text.split()) for text in re.findall(r">([^<]*\w[^<]*)<", nav[0])] == crumbs
    assert 'class="tabs"' not in page


def test_a_dialog_has_none(
    acme: Organization, admin: User, make_key: Callable[..., Issued]
) -> None:
    client = sign_in(admin)
    key = make_key(name="Production").key

    dialog = client.get(developer(acme, f"keys/{key.public_id}/rotate/"), headers={"X-Dialog": "1"})

    assert "crumbs" not in html(dialog)
