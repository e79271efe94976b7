"""The whole source document signus-developer-settings.txt, without scripts.

`tests/browser/test_journey.py` covers it with scripts and the Test dialog, and
`tests/api/test_signus_templates.py` its request, field by field.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services
from organizations.models import Organization, User
from tests.factories import SYSTEM
from tests.pages.support import developer, html, secret_in, sign_in, submission_of
from tests.support.api import templates
from tests.support.client import ApiClient

Create = Callable[[str], Any]


@pytest.fixture
def create(browser: Client, acme: Organization) -> Create:
    """Fills in the single field of the dialog."""
    address = developer(acme, "keys/create/")

    def send(name: str) -> Any:
        return browser.post(
            address, {"submission": submission_of(browser.get(address)), "name": name}
        )

    return send


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text


# --- Access: admins only, and API access enabled ---


def test_keys_are_scoped_to_the_workspace_they_are_created_in(
    create: Create, call: ApiClient, acme: Organization, globex: Organization
) -> None:
    secret = secret_in(create("Production"))

    assert call("GET", templates(acme), key=secret).status == 200
    assert call("GET", templates(globex), key=secret).status == 404


def test_the_settings_are_for_admins_only(acme: Organization, member: User) -> None:
    client = sign_in(member)

    assert client.get(developer(acme)).status_code == 403
    assert client.get(developer(acme, "keys/create/")).status_code == 403


def test_the_workspace_must_have_api_access(
    browser: Client, call: ApiClient, acme: Organization, reader: Issued
) -> None:
    services.set_api_access(acme, enabled=False, actor=SYSTEM)

    page = _text(browser.get(developer(acme)))

    assert "API access is turned off" in page
    assert "Create API key" not in page
    assert call("GET", templates(acme), key=reader).status == 403


# --- Create a key ---


def test_configuration_is_the_default_tab(browser: Client, acme: Organization) -> None:
    page = _text(browser.get(developer(acme)))

    tab = re.search(r'<a href="([^"]+)"[^>]*aria-current="page"[^>]*>\s*Configuration', page)
    assert tab
    assert tab[1] == developer(acme)


def test_the_dialog_has_a_single_field(browser: Client, acme: Organization) -> None:
    page = _text(browser.get(developer(acme, "keys/create/")))

    form = re.search(r"<form[^>]*data-guard.*?<details", page, re.DOTALL)
    assert form
    asked = re.findall(r"<(?:input|textarea|select)(?![^>]*hidden)[^>]*>", form[0])
    assert len(asked) == 1
    assert 'name="name"' in asked[0]


def test_the_name_has_no_effect_on_what_the_key_can_do(create: Create) -> None:
    for name in ("Production", "Staging", "CI/CD"):
        assert create(name).status_code == 201

    assert len({tuple(key.scopes) for key in ApiKey.objects.all()}) == 1


def test_the_secret_is_shown_once_and_masked(
    create: Create, browser: Client, acme: Organization
) -> None:
    answer = create("Production")

    secret, key = secret_in(answer), ApiKey.objects.get()
    assert "Show secret</summary>" in _text(answer), "folded away; dots where script runs"
    for rest in ("", f"keys/{key.public_id}/", f"keys/{key.public_id}/edit/"):
        assert secret not in _text(browser.get(developer(acme, rest)))


# --- Use the key ---


def test_it_is_sent_as_a_bearer_token_with_the_account_id(
    create: Create, call: ApiClient, browser: Client, acme: Organization
) -> None:
    secret = secret_in(create("Production"))
    found = re.search(r'id="account-id">([^<]+)<', _text(browser.get(developer(acme))))
    assert found

    answer = call(
        "GET",
        f"/v1/accounts/{found[1]}/templates",
        headers={"Authorization": f"Bearer {secret}"},
    )

    assert answer.status == 200


# --- Test a key ---


def test_beside_create_there_is_test_with_the_documented_call(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key()
    page = _text(browser.get(developer(acme)))
    beside = r'Test API key</a>\s*<a class="button primary"(?:(?!</a>).)*Create API key</a>'
    assert re.search(beside, page, re.DOTALL)

    dialog = _text(browser.get(developer(acme, "test/")))

    call = f"/v1/accounts/{acme.public_id}/templates?pageIndex=0&amp;pageSize=5"
    assert "<code>GET …/templates?pageIndex=0&amp;pageSize=5</code> request" in dialog
    assert re.search(rf"curl [^<]*{re.escape(call)}", dialog)


# --- List and delete ---


def test_each_row_has_name_date_and_bin(
    create: Create, browser: Client, acme: Organization
) -> None:
    create("Production")
    key = ApiKey.objects.get()

    page = _text(browser.get(developer(acme)))

    assert re.search(r"<strong>\s*(?:<a[^>]*>)?\s*Production", page)
    assert f"{key.created_at.day} {key.created_at:%b %Y}" in page
    assert developer(acme, f"keys/{key.public_id}/delete/") in page


def test_deletion_asks_and_is_immediate(
    create: Create, browser: Client, call: ApiClient, acme: Organization
) -> None:
    secret = secret_in(create("Production"))
    address = developer(acme, f"keys/{ApiKey.objects.get().public_id}/delete/")

    asked = browser.get(address)
    assert asked.status_code == 200
    assert call("GET", templates(acme), key=secret).status == 200

    browser.post(address, {"typed": "Production"})

    answer = call("GET", templates(acme), key=secret)
    assert (answer.status, answer.error["type"]) == (401, "unauthorized")


def test_rotating_by_hand_never_leaves_an_application_without_a_key(
    create: Create, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    old = secret_in(create("Production"))
    older = ApiKey.objects.get(name="Production")
    new = secret_in(create("Production 2"))
    assert [call("GET", templates(acme), key=key).status for key in (old, new)] == [200, 200]

    call("DELETE", f"/v1/api-keys/{older.pk}", key=manager)

    assert [call("GET", templates(acme), key=key).status for key in (old, new)] == [401, 200]


# --- Best practices ---


def test_the_page_gives_the_best_practices(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    empty = _text(browser.get(developer(acme)))
    make_key()
    full = _text(browser.get(developer(acme)))

    for page in (empty, full):
        for advice in ("once", "separate keys for each service and environment", "CI system"):
            assert advice in page
        assert "When someone with access leaves, rotate" in page
