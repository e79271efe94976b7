"""A form opened earlier doesn't undo changes made meanwhile."""

import re
from typing import Any

from django.test import Client

from apikeys import services
from organizations import services as organization_services
from organizations.models import Organization
from tests.admin.support import text
from tests.factories import SYSTEM, ServiceAccountFactory, TemplateFactory


def opened(browser: Client, address: str) -> dict[str, list[str]]:
    """The hidden fields in which the page keeps what it showed."""
    shown: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", text(browser.get(address))):
        name = re.search(r'name="(initial-[a-z_]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name:
            shown.setdefault(name[1], []).append(value[1] if value else "")
    return shown


def send(browser: Client, address: str, shown: dict[str, list[str]], **sent: Any) -> None:
    assert browser.post(address, {**shown, **sent}).status_code == 302


def test_the_description_and_the_switch_of_a_service_account(
    browser: Client, acme: Organization
) -> None:
    robot = ServiceAccountFactory.create(organization=acme, name="Robot", description="Old")
    address = f"/admin/organizations/serviceaccount/{robot.pk}/change/"
    shown = opened(browser, address)
    organization_services.update_service_account(
        robot, name="Robot", description="New", actor=SYSTEM
    )
    organization_services.set_service_account_enabled(robot, enabled=False, actor=SYSTEM)

    send(browser, address, shown, name="Android", description="Old", enabled="on")

    robot.refresh_from_db()
    assert (robot.name, robot.description, robot.enabled) == ("Android", "New", False)


def test_the_scopes_of_a_template(browser: Client, acme: Organization) -> None:
    scopes = ["search:read", "events:read"]
    preset = TemplateFactory.create(organization=acme, name="CI", scopes=scopes)
    address = f"/admin/apikeys/keytemplate/{preset.pk}/change/"
    shown = opened(browser, address)
    services.update_template(preset, changes={"scopes": ["search:read"]}, actor=SYSTEM)

    send(browser, address, shown, name="Builds", description="", scopes=scopes, lifetime_days="")

    preset.refresh_from_db()
    assert (preset.name, preset.scopes) == ("Builds", ["search:read"])


def test_the_switch_of_an_organization(browser: Client, acme: Organization) -> None:
    address = f"/admin/organizations/organization/{acme.pk}/change/"
    shown = opened(browser, address)
    organization_services.set_api_access(acme, enabled=False, actor=SYSTEM)

    sent = {"api_access_enabled": "on", "rate_limit_tier": acme.rate_limit_tier}
    send(browser, address, shown, name="Acme Corporation", **sent)

    acme.refresh_from_db()
    assert shown["initial-api_access_enabled"] == ["True"]
    assert (acme.name, acme.api_access_enabled) == ("Acme Corporation", False)


def test_the_limit_of_keys_of_an_organization(browser: Client, acme: Organization) -> None:
    acme = organization_services.set_key_limit(acme, limit=500, actor=SYSTEM)
    address = f"/admin/organizations/organization/{acme.pk}/change/"
    shown = opened(browser, address)
    organization_services.set_key_limit(acme, limit=5, actor=SYSTEM)

    sent = {"api_access_enabled": "on", "rate_limit_tier": acme.rate_limit_tier, "key_limit": 500}
    send(browser, address, shown, name="Acme Corporation", **sent)

    acme.refresh_from_db()
    assert shown["initial-key_limit"] == ["500"]
    assert (acme.name, acme.key_limit) == ("Acme Corporation", 5)
