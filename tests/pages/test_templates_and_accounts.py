"""Templates, service accounts and API access on the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys import services
from apikeys.models import KeyTemplate
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core.actors import Actor
from organizations import services as organization_services
from organizations.models import Organization, ServiceAccount, User
from tests.factories import SYSTEM, ServiceAccountFactory, TemplateFactory
from tests.pages.support import developer, grow_stale, html, sign_in

TEMPLATE = {"name": "CI", "scopes": ["search:read"], "lifetime_days": "30", "description": ""}


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text.replace("&#x27;", "'")


def test_a_template_from_beginning_to_end(browser: Client, acme: Organization) -> None:
    made = browser.post(developer(acme, "templates/create/"), TEMPLATE, follow=True)
    template = KeyTemplate.objects.get()
    edit = developer(acme, f"templates/{template.public_id}/edit/")
    seen = browser.get(edit).context["form"].initial["seen"]
    changed = browser.post(edit, {**TEMPLATE, "seen": seen, "name": "Builds"}, follow=True)
    gone = browser.post(developer(acme, f"templates/{template.public_id}/delete/"), follow=True)

    assert "Template CI created." in _text(made)
    assert "30 days" in _text(made)
    assert "Builds" in _text(changed)
    assert "Template Builds deleted." in _text(gone)
    assert not KeyTemplate.objects.exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "Enter a name for the template."),
        ({"name": "x" * 101}, "Use 100 characters or fewer."),
        ({"scopes": []}, "Choose at least one permission."),
        ({"lifetime_days": "0"}, "Choose from 1 to 3650 days, or none."),
        ({"lifetime_days": "soon"}, "Enter a whole number."),
        ({"name": "TAKEN"}, "A template named “TAKEN” already exists."),
    ],
)
def test_what_is_wrong_with_a_template(
    browser: Client, acme: Organization, fields: dict[str, Any], message: str
) -> None:
    TemplateFactory.create(organization=acme, name="Taken")

    answer = browser.post(developer(acme, "templates/create/"), {**TEMPLATE, **fields})

    assert answer.status_code == 422
    assert message in _text(answer)
    assert KeyTemplate.objects.count() == 1


def test_two_who_edit_a_template_at_once(
    browser: Client, acme: Organization, as_admin: Actor
) -> None:
    template = TemplateFactory.create(organization=acme, name="CI")
    edit = developer(acme, f"templates/{template.public_id}/edit/")
    seen = browser.get(edit).context["form"].initial["seen"]
    services.update_template(template, actor=as_admin, changes={"name": "Theirs"})

    refused = browser.post(edit, {**TEMPLATE, "seen": seen, "name": "Mine"})

    assert refused.status_code == 422
    assert "Someone changed this template while you were editing." in _text(refused)
    assert "Theirs" in _text(refused)
    assert 'value="Mine"' in _text(refused)
    assert KeyTemplate.objects.get().name == "Theirs"


def test_members_look_at_templates_and_are_offered_nothing(
    acme: Organization, member: User
) -> None:
    TemplateFactory.create(organization=acme, name="CI")

    text = _text(sign_in(member).get(developer(acme, "templates/")))

    assert "CI" in text
    assert "Create template" not in text
    assert "/edit/" not in text


def test_a_service_account_and_its_keys(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    fields = {"name": "Nightly", "description": "Imports"}
    browser.post(developer(acme, "service-accounts/create/"), fields)
    account = ServiceAccount.objects.get()
    issued = make_key(name="Import", service_account=account)
    page = developer(acme, f"service-accounts/{account.public_id}/")

    shown = _text(browser.get(page))
    asked = _text(browser.get(f"{page}switch/"))
    browser.post(f"{page}switch/", {"enabled": "no"})
    stopped = verify(issued.secret).refusal
    browser.post(f"{page}switch/", {"enabled": "yes"})

    assert "Import" in shown
    assert "Requests with its key will get 401 until you enable" in asked
    assert stopped is Refusal.SERVICE_ACCOUNT_DISABLED
    assert verify(issued.secret).refusal is None


def test_enabling_a_service_account_asks_for_a_recent_sign_in(
    browser: Client, acme: Organization
) -> None:
    account = ServiceAccountFactory.create(organization=acme)
    switch = developer(acme, f"service-accounts/{account.public_id}/switch/")
    grow_stale(browser)

    stopped = browser.post(switch, {"enabled": "no"})
    asked = browser.post(switch, {"enabled": "yes"})

    assert stopped.status_code == 303
    assert asked.status_code == 422
    assert not ServiceAccount.objects.get().enabled


def test_editing_a_service_account(browser: Client, acme: Organization, as_admin: Actor) -> None:
    account = ServiceAccountFactory.create(organization=acme, name="Robot")
    ServiceAccountFactory.create(organization=acme, name="Taken")
    edit = developer(acme, f"service-accounts/{account.public_id}/edit/")
    seen = browser.get(edit).context["form"].initial["seen"]
    taken = browser.post(edit, {"seen": seen, "name": "taken"})
    empty = browser.post(edit, {"seen": seen, "name": ""})
    organization_services.update_service_account(
        account, name="Theirs", description="", actor=as_admin
    )
    late = browser.post(edit, {"seen": seen, "name": "Mine"})
    saved = browser.post(edit, {"seen": late.context["form"].data["seen"], "name": "Mine"})

    assert "already exists" in _text(taken)
    assert "Enter a name for the service account." in _text(empty)
    assert "Someone changed this service account while you were editing." in _text(late)
    assert saved.status_code == 303
    assert ServiceAccount.objects.get(pk=account.pk).name == "Mine"


def test_deleting_a_service_account(
    browser: Client, acme: Organization, as_admin: Actor, make_key: Callable[..., Issued]
) -> None:
    account = ServiceAccountFactory.create(organization=acme, name="Robot")
    page = developer(acme, f"service-accounts/{account.public_id}/")
    asked = _text(browser.get(f"{page}delete/"))
    key = make_key(name="Import", service_account=account).key
    make_key(name="Unrelated")
    with_key = _text(browser.get(f"{page}delete/"))
    refused = browser.post(f"{page}delete/")  # the form of before
    listed = developer(acme, f"?creator={account.public_id}")
    keys = _text(browser.get(listed))
    services.revoke_api_key(key, actor=as_admin)
    done = browser.post(f"{page}delete/", follow=True)

    assert "so nothing stops working" in asked
    assert '<button class="button danger" data-submit>Delete service account</button>' in asked
    assert refused.status_code == 409
    for text in (with_key, _text(refused)):
        assert "This service account still has 1 key. Delete the key first." in text
        assert f'href="{listed}"' in text
        assert "Delete service account</button>" not in text
    assert "Import" in keys
    assert "Unrelated" not in keys
    assert "Service account Robot deleted." in _text(done)
    assert "This organization has no service accounts" in _text(done)
    assert browser.get(page).status_code == browser.post(f"{page}delete/").status_code == 404
    assert browser.get(developer(acme, f"keys/{key.public_id}/")).status_code == 200


def test_a_deletion_that_cannot_wait_for_revocations_changes_nothing(
    browser: Client, acme: Organization, no_place_free: None
) -> None:
    account = ServiceAccountFactory.create(organization=acme, name="Robot")
    page = developer(acme, f"service-accounts/{account.public_id}/delete/")

    answer = browser.post(page, headers={"X-Dialog": "1"})

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert 'role="alert"' in _text(answer)
    assert ServiceAccount.objects.undeleted().get() == account


def test_the_form_of_a_new_key_begins_with_a_template_or_an_account(
    browser: Client, acme: Organization, globex: Organization
) -> None:
    template = TemplateFactory.create(organization=acme, name="CI")
    account = ServiceAccountFactory.create(organization=acme, name="Robot")
    foreign = TemplateFactory.create(organization=globex, name="Theirs")
    create = developer(acme, "keys/create/")

    from_template = browser.get(create, {"template": template.public_id})
    for_account = browser.get(create, {"for": account.public_id})

    assert from_template.context["form"].initial["template"] == template.pk
    assert for_account.context["form"].initial["service_account"] == account.pk
    for unknown in (foreign.public_id, "nonsense"):
        answer = browser.get(create, {"template": unknown})
        assert answer.status_code == 200
        assert "Theirs" not in _text(answer)
    listed = _text(browser.get(developer(acme, "templates/")))
    assert f'href="{create}?template={template.public_id}"' in listed
    listed = _text(browser.get(developer(acme, "service-accounts/")))
    assert f'href="{create}?for={account.public_id}"' in listed


def test_access_says_who_decides(browser: Client, acme: Organization) -> None:
    on = _text(browser.get(developer(acme, "access/")))
    organization_services.set_api_access(acme, enabled=False, actor=SYSTEM)
    off = _text(browser.get(developer(acme, "access/")))

    assert "Contact support to change these." in on
    assert "600 requests per minute</p>" in on
    assert "6,000 requests per minute</p>" in on
    assert "Every key is rejected with 403." in off
    assert "Ada Acme" in on
    assert "ada@acme.example" in on


@pytest.mark.parametrize(
    ("rest", "queries"), [("templates/", 6), ("service-accounts/", 6), ("activity/", 7)]
)
@pytest.mark.parametrize("count", [1, 40])
def test_the_number_of_queries_does_not_grow(
    browser: Client, acme: Organization, rest: str, queries: int, count: int
) -> None:
    TemplateFactory.create_batch(count, organization=acme)
    ServiceAccountFactory.create_batch(count, organization=acme)

    with CaptureQueriesContext(connection) as seen:
        browser.get(developer(acme, rest))

    assert len(seen) == queries, [q["sql"][:100] for q in seen]


@pytest.mark.parametrize(("rest", "queries"), [("access/", 8), ("test/", 5), ("keys/create/", 7)])
def test_the_queries_of_single_pages(
    browser: Client, acme: Organization, rest: str, queries: int
) -> None:
    with CaptureQueriesContext(connection) as seen:
        browser.get(developer(acme, rest))

    assert len(seen) == queries, [q["sql"][:100] for q in seen]
