"""Breadcrumbs of the pages that show one form, which dialogs don't have."""

import re
from collections.abc import Callable

import pytest

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.factories import ServiceAccountFactory, TemplateFactory
from tests.pages.support import developer, html, sign_in


def _crumbs(page: str) -> list[str]:
    nav = re.search(r'<nav class="crumbs".*?</nav>', page, re.DOTALL)
    assert nav is not None
    return [" ".join(text.split()) for text in re.findall(r">([^<]*\w[^<]*)<", nav[0])]


@pytest.mark.parametrize(
    ("path", "crumbs"),
    [
        ("keys/create/", ["Developer", "API keys", "Create API key"]),
        ("keys/{key}/edit/", ["Developer", "API keys", "Production", "Edit"]),
        ("keys/{key}/rotate/", ["Developer", "API keys", "Production", "Rotate"]),
        ("keys/{key}/switch/", ["Developer", "API keys", "Production", "Disable"]),
        ("keys/{key}/delete/", ["Developer", "API keys", "Production", "Delete"]),
        ("keys/delete/?key={key}", ["Developer", "API keys", "Production", "Delete"]),
        ("keys/disable/?key={key}", ["Developer", "API keys", "Production", "Disable"]),
        ("keys/enable/?key={key}", ["Developer", "API keys", "Production", "Enable"]),
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

    assert _crumbs(page) == crumbs
    assert 'class="tabs"' not in page


@pytest.mark.parametrize(
    ("path", "crumbs"),
    [
        ("close/", ["General", "Close"]),
        ("export/", ["General", "Export"]),
        ("leave/", ["Members", "Leave"]),
        ("members/invite/", ["Members", "Invite"]),
    ],
)
def test_pages_of_the_organization_lead_back_too(
    acme: Organization, admin: User, path: str, crumbs: list[str]
) -> None:
    page = html(sign_in(admin).get(f"/o/acme/settings/{path}"))

    assert _crumbs(page) == crumbs


def test_templates_and_service_accounts_are_named_before_the_action(
    acme: Organization, admin: User
) -> None:
    client = sign_in(admin)
    template = TemplateFactory.create(organization=acme, name="CI")
    account = ServiceAccountFactory.create(organization=acme, name="Import")

    for path, crumbs in (
        (f"templates/{template.public_id}/edit/", ["Templates", "CI", "Edit"]),
        (f"templates/{template.public_id}/delete/", ["Templates", "CI", "Delete"]),
        (f"service-accounts/{account.public_id}/edit/", ["Service accounts", "Import", "Edit"]),
        (
            f"service-accounts/{account.public_id}/switch/",
            ["Service accounts", "Import", "Disable"],
        ),
        (f"service-accounts/{account.public_id}/delete/", ["Service accounts", "Import", "Delete"]),
    ):
        assert _crumbs(html(client.get(developer(acme, path)))) == ["Developer", *crumbs]


def test_a_dialog_has_none(
    acme: Organization, admin: User, make_key: Callable[..., Issued]
) -> None:
    client = sign_in(admin)
    key = make_key(name="Production").key

    dialog = client.get(developer(acme, f"keys/{key.public_id}/rotate/"), headers={"X-Dialog": "1"})

    assert "crumbs" not in html(dialog)
