"""Service accounts and templates in dialogs of their lists."""

from apikeys.models import ApiKey
from organizations.models import Organization, ServiceAccount
from tests.browser.conftest import OpenPage
from tests.factories import ServiceAccountFactory, TemplateFactory

DEVELOPER = "/o/acme/settings/developer/"


def test_an_account_is_created_changed_and_deleted_without_leaving_the_list(
    sign_in: OpenPage,
) -> None:
    page = sign_in()
    page.goto(f"{DEVELOPER}service-accounts/")

    page.get_by_role("link", name="Create service account").click()
    page.get_by_label("Name", exact=True).press_sequentially("Robot")
    page.keyboard.press("Enter")
    page.get_by_role("row", name="Robot").get_by_text("Active").wait_for()
    page.get_by_role("link", name="Edit Robot").click()
    page.get_by_label("Description").fill("Runs at night.")
    page.get_by_role("button", name="Save changes").click()
    page.get_by_role("row", name="Robot").get_by_text("Runs at night.").wait_for()
    page.get_by_role("link", name="Delete Robot").click()
    page.get_by_role("alertdialog", name="Delete “Robot”?").wait_for()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Cancel"
    page.get_by_role("button", name="Delete service account").click()

    page.locator("#page-status").get_by_text("Service account Robot deleted.").wait_for()
    page.get_by_text("This organization has no service accounts").wait_for()
    page.wait_for_function("document.activeElement.tagName === 'H1'")
    assert page.url.endswith(f"{DEVELOPER}service-accounts/")
    assert not ServiceAccount.objects.undeleted().exists()


def test_an_account_with_keys_leads_to_them(sign_in: OpenPage, acme: Organization) -> None:
    account = ServiceAccountFactory.create(organization=acme, name="Robot")
    page = sign_in()
    page.goto(f"{DEVELOPER}service-accounts/")
    page.get_by_role("link", name="Create key for Robot").click()
    page.get_by_label("Name", exact=True).fill("Import")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Close without copying").click()
    page.locator("dialog[open]").wait_for(state="detached")

    page.get_by_role("link", name="Delete Robot").click()
    page.get_by_role("link", name="View key").click()

    page.get_by_role("link", name="Import", exact=True).wait_for()
    assert ApiKey.objects.get().service_account == account


def test_a_key_is_created_from_a_template(sign_in: OpenPage, acme: Organization) -> None:
    TemplateFactory.create(organization=acme, name="CI", scopes=["search:read"], lifetime_days=30)
    page = sign_in()
    page.goto(f"{DEVELOPER}templates/")

    page.get_by_role("link", name="Create key from CI").click()
    page.get_by_label("Name", exact=True).fill("Builds")
    page.keyboard.press("Enter")
    page.get_by_label("Secret", exact=True).wait_for()

    key = ApiKey.objects.get()
    assert (key.name, key.scopes) == ("Builds", ["search:read"])
    assert key.expires_at
    assert (key.expires_at - key.created_at).days in (29, 30)
