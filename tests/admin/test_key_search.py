"""Searching for keys. A whole secret is cut to its prefix immediately."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import User
from tests.admin.support import messages, page, text
from tests.factories import SYSTEM
from tests.support.domain import person

SEARCHES: dict[str, Callable[[Issued], str]] = {
    "public id": lambda issued: issued.key.public_id,
    "public id between spaces": lambda issued: f" {issued.key.public_id} ",
    "UUID": lambda issued: str(issued.key.pk),
    "prefix": lambda issued: issued.key.key_prefix,
    "prefix as it is shown": lambda issued: f"{issued.key.key_prefix}••••",
    "name": lambda issued: "nightly",
    "organization": lambda issued: "acme",
    "e-mail address of the creator": lambda issued: "ada@acme.example",
    "name of the creator": lambda issued: "Ada Acme",
    "name and organization": lambda issued: "nightly acme",
}


@pytest.fixture
def wanted(make_key: Callable[..., Issued], admin: User, foreigner: Issued) -> Issued:
    """The only key with anything that is searched for."""
    return make_key(name="Nightly import", actor=person(admin), scopes=["search:read"])


def found(response: Any) -> list[ApiKey]:
    return list(response.context["cl"].queryset)


@pytest.mark.parametrize("by", SEARCHES)
def test_a_key_is_found_by_its(browser: Client, wanted: Issued, by: str) -> None:
    response = browser.get(page(ApiKey), {"q": SEARCHES[by](wanted)})

    assert found(response) == [wanted.key]


def test_a_rotated_key_is_found_by_its_older_prefix(browser: Client, wanted: Issued) -> None:
    old = wanted.key.key_prefix
    services.rotate_api_key(wanted.key, actor=SYSTEM)

    assert found(browser.get(page(ApiKey), {"q": old})) == [wanted.key]


@pytest.mark.parametrize("q", ["key_0000000000000000000000", "sig_live_0000", "nobody"])
def test_nothing_is_found_by_what_is_not_there(browser: Client, wanted: Issued, q: str) -> None:
    assert found(browser.get(page(ApiKey), {"q": q})) == []


@pytest.mark.parametrize("frame", ["{}", "Bearer {}", "{} {}"])
def test_a_whole_secret_is_cut_to_its_prefix(browser: Client, wanted: Issued, frame: str) -> None:
    q = frame.format(wanted.secret, wanted.secret)

    first = browser.get(page(ApiKey), {"q": q, "status": "active"})
    second = browser.get(first["Location"])

    random = wanted.secret[len(wanted.key.key_prefix) :]
    assert first.status_code == 302
    assert "status=active" in first["Location"]
    assert random not in first["Location"] + text(first) + text(second)
    assert random not in repr(dict(browser.session))
    assert messages(second) == ["You entered a full secret. Only its prefix was kept."]


def test_the_prefix_of_a_whole_secret_finds_its_key(browser: Client, wanted: Issued) -> None:
    response = browser.get(page(ApiKey), {"q": wanted.secret}, follow=True)

    assert found(response) == [wanted.key]


def test_part_of_a_secret_is_cut_without_a_warning(browser: Client, wanted: Issued) -> None:
    response = browser.get(page(ApiKey), {"q": wanted.secret[:20]}, follow=True)

    assert response.redirect_chain
    assert found(response) == [wanted.key]
    assert messages(response) == []


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: m.__name__)
def test_no_list_keeps_a_secret_in_its_address(
    browser: Client, wanted: Issued, model: type[Any]
) -> None:
    response = browser.get(page(model), {"q": wanted.secret}, follow=True)

    addresses = "".join(address for address, _ in response.redirect_chain)
    assert response.status_code == 200
    assert wanted.key.key_prefix in addresses
    assert wanted.secret[len(wanted.key.key_prefix) :] not in addresses + text(response)
