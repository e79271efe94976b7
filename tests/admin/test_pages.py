"""Every page of the staff admin opens."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apikeys.models import ApiKeySecret, KeyUsage
from apikeys.services import Issued
from core import transactions
from organizations.models import User
from tests.admin.support import enter
from tests.factories import ServiceAccountFactory, TemplateFactory
from tests.support.following import silent


@pytest.fixture
def browser(staff: User, manager: Issued) -> Client:
    """A staff member's browser, with something on every page."""
    ServiceAccountFactory.create(organization=manager.key.organization)
    TemplateFactory.create(organization=manager.key.organization)
    silent()
    client = Client()
    enter(client, staff)
    return client


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: m.__name__)
def test_list_search_and_object_open(browser: Client, model: type) -> None:
    opts = model._meta  # type: ignore[attr-defined]
    view = f"admin:{opts.app_label}_{opts.model_name}"

    for query in ("", "?q=a", "?q=key_0351FrTDeDtgZYMcLmPixg"):
        assert browser.get(reverse(f"{view}_changelist") + query).status_code == 200
    for row in model.objects.all():  # type: ignore[attr-defined]
        assert browser.get(reverse(f"{view}_change", args=[row.pk])).status_code == 200


def test_a_null_in_the_query_of_a_page_is_a_bad_request(browser: Client) -> None:
    place = "app_label=apikeys&model_name=keytemplate&field_name=organization"

    assert browser.get(f"/admin/autocomplete/?term=%00&{place}").status_code == 400
    assert browser.get("/admin/apikeys/apikey/?q=%00").status_code == 400


def test_times_are_shown_with_their_zone(browser: Client, manager: Issued) -> None:
    page = browser.get(reverse("admin:apikeys_apikey_change", args=[manager.key.pk]))

    assert f"{manager.key.created_at:%-d %b %Y, %H:%M} UTC" in page.content.decode()


def test_a_key_says_how_many_requests_it_had(browser: Client, manager: Issued) -> None:
    now = timezone.now()
    for result, days, requests in (("ok", 0, 1200), ("rate_limited", 3, 34), ("ok", 40, 5)):
        KeyUsage.objects.create(
            key=manager.key, hour=now - timedelta(days=days), result=result, requests=requests
        )

    page = browser.get(reverse("admin:apikeys_apikey_change", args=[manager.key.pk]))

    assert "1,234, 34 of them rejected" in page.content.decode()


@pytest.mark.parametrize(("older", "shown"), [(19, 20), (20, 20), (60, 20)])
def test_a_key_shows_its_newest_secrets_however_often_it_was_rotated(
    browser: Client, manager: Issued, older: int, shown: int
) -> None:
    now = timezone.now()
    secrets = [
        ApiKeySecret(
            key=manager.key, digest=b"%032d" % n, pepper=1, prefix="sig_live_old", ends_at=now
        )
        for n in range(older)
    ]
    with transactions.allowed():
        ApiKeySecret.objects.bulk_create(secrets)

    page = browser.get(reverse("admin:apikeys_apikey_change", args=[manager.key.pk]))

    text = page.content.decode()
    assert text.count("<div><code>sig_live_") == shown
    assert ("Older secrets are not shown." in text) == (older >= 20)
