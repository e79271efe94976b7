"""Too large input is rejected with advice. Input that fits is accepted, composed or decomposed."""

import json
import unicodedata
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apikeys.models import ApiKey
from apikeys.services import Issued
from core.exceptions import Invalid
from core.request_context import client_ip
from core.text import clean_name, clean_text, name_key
from organizations.models import Organization, User
from tests.admin.support import IP, change, enter, messages, page
from tests.factories import PASSWORD
from tests.pages.support import developer, html, sign_in, submission_of
from tests.security.hostile.costly import costly
from tests.security.hostile.test_cost import PROXIES
from tests.support.client import ApiClient
from tests.support.dialects import DIALECTS, Dialect

#: A hundred characters each, in composed form.
HANGUL: Final = "한글키" * 33 + "한"
VIETNAMESE: Final = "ệ" * 100
GREEK: Final = "\u1f82" * 100  # four characters each when decomposed, the most that there are
FULL: Final = [HANGUL, VIETNAMESE, GREEK]
LIMIT: Final = 256 * 1024


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def test_nothing_decomposes_into_more_than_four() -> None:
    assert max(len(nfd(chr(code))) for code in range(0x110000)) == 4


@pytest.mark.parametrize("name", FULL, ids=["Hangul", "Vietnamese", "Greek"])
def test_a_full_name_fits_in_each_of_its_forms(name: str) -> None:
    assert clean_name(nfd(name)) == clean_name(f"  {nfd(name)} ") == name
    assert name_key(nfd(name)) == name_key(name)
    assert clean_text(nfd(name * 5), "description") == name * 5


@pytest.mark.parametrize("name", FULL, ids=["Hangul", "Vietnamese", "Greek"])
@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_a_full_name_is_taken_by_each_format(
    dialect: Dialect, name: str, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    answer = call(
        "POST",
        dialect.keys(acme),
        dialect.body(name=nfd(name), scopes=["search:read"]),
        key=manager,
    )

    assert answer.status == dialect.created
    assert ApiKey.objects.filter(name=name).exists()
    found = call("GET", "/v1/api-keys", key=manager, query={"name": nfd(name)}).body["data"]
    assert [one["name"] for one in found] == [name]


@pytest.mark.parametrize("name", FULL, ids=["Hangul", "Vietnamese", "Greek"])
def test_a_full_name_is_taken_by_the_pages(name: str, acme: Organization, admin: User) -> None:
    browser = sign_in(admin)
    form = browser.get(developer(acme, "keys/create/"))
    fields = {"submission": submission_of(form), "name": nfd(name), "description": nfd(name * 5)}

    assert browser.post(developer(acme, "keys/create/"), fields).status_code == 201
    assert ApiKey.objects.get(name=name).description == name * 5


def test_a_full_name_is_taken_by_the_staff_pages(acme: Organization, staff: User) -> None:
    browser = enter(Client(REMOTE_ADDR=IP), staff)
    fields = {"name": nfd(HANGUL), "rate_limit_tier": "standard", "api_access_enabled": "on"}

    assert browser.post(change(acme), fields).status_code == 302
    acme.refresh_from_db()
    assert acme.name == HANGUL


def test_a_full_name_is_taken_at_sign_up(db: None) -> None:
    fields = {
        "email": "new@acme.example",
        "password1": PASSWORD,
        "name": nfd(VIETNAMESE),
        "organization": nfd(HANGUL),
    }

    Client().post("/accounts/signup/", fields)

    assert Organization.objects.get().name == HANGUL
    assert User.objects.get().name == VIETNAMESE


@pytest.mark.parametrize("name", costly(60_000))
def test_a_huge_name_is_refused_by_its_length(name: str) -> None:
    text = costly(60_000)[name]
    blank = name in ("blanks", "lines")
    if blank:
        assert name_key(text) == "x"
        return
    with pytest.raises(Invalid, match=r"Use 100 characters or fewer\. You have used \d+\."):
        name_key(text)
    with pytest.raises(Invalid, match=r"Use 100 characters or fewer\. You have used \d+\."):
        clean_name(text)


MARKS: Final = "a" + "\u0315\u0300" * 10_000
TOLD: Final = "Use 100 characters or fewer. You have used 20001."


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_a_format_names_the_field_that_is_too_long(
    dialect: Dialect, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    body = json.dumps(dialect.body(name=MARKS, scopes=["search:read"]), ensure_ascii=False)
    refusal = call("POST", dialect.keys(acme), body.encode(), key=manager).refusal

    assert refusal.names(dialect.sends["name"])
    assert TOLD in refusal.message


def test_a_filter_that_no_name_can_match_is_refused_by_name(
    call: ApiClient, manager: Issued
) -> None:
    answer = call("GET", "/v1/api-keys", key=manager, query={"name": "a" + "\u0315" * 9_000})

    assert answer.status == 400
    assert answer.refusal.names("name")
    assert "Use 100 characters or fewer. You have used 9001." in answer.refusal.message


def test_a_page_keeps_what_was_typed_and_says_what_to_do(acme: Organization, admin: User) -> None:
    browser = sign_in(admin)
    form = browser.get(developer(acme, "keys/create/"))
    fields = {"submission": submission_of(form), "name": MARKS, "description": "Keep this."}

    response = browser.post(developer(acme, "keys/create/"), fields)

    assert response.status_code == 422
    assert response.context["form"].errors == {"name": [TOLD]}
    assert MARKS in html(response)
    assert "Keep this." in html(response)


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


def _fields(size: int) -> dict[str, Any]:
    return {"text": "x" * size}


def _file(size: int) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("huge.bin", b"x" * size)}


@pytest.mark.django_db
@pytest.mark.parametrize("content", [_fields, _file])
@pytest.mark.parametrize("path", ["/accounts/login/", "/organizations/new/", "/admin/login/", "/"])
def test_a_page_takes_256_kilobytes(path: str, content: Any, visitor: Client) -> None:
    response = visitor.post(path, content(LIMIT))

    assert response.status_code == 413
    assert "<h1>This is too large</h1>" in html(response)
    assert "Pages accept at most 256 KB." in html(response)
    assert response.headers["X-Request-Id"] in html(response)
    assert "Content-Security-Policy" in response.headers
    assert visitor.post(path, content(LIMIT - 1_000)).status_code != 413


@pytest.mark.django_db
def test_too_many_cookies_are_told(visitor: Client) -> None:
    response = visitor.get("/accounts/login/", headers={"Cookie": "a=" + "b" * 33_000})

    assert response.status_code == 431
    assert "Delete this site's cookies" in html(response)
    assert (
        visitor.get("/accounts/login/", headers={"Cookie": "a=" + "b" * 9_000}).status_code == 200
    )


def test_a_call_keeps_its_own_limit(call: ApiClient, manager: Issued) -> None:
    answer = call("POST", "/v1/api-keys", b" " * 65_537, key=manager)

    assert answer.status == 413
    assert answer.error["code"] == "request_too_large"


@pytest.mark.parametrize(
    "chain",
    [
        ",".join(["127.0.0.1"] * 50_000),
        "192.0.2.9," + ",".join(["127.0.0.1"] * 21),
    ],
)
def test_twenty_proxies_are_looked_through(chain: str) -> None:
    meta = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": chain}

    assert client_ip(meta, PROXIES) == "127.0.0.1"
    meta["HTTP_X_FORWARDED_FOR"] = "192.0.2.9," + ",".join(["127.0.0.1"] * 19)
    assert client_ip(meta, PROXIES) == "192.0.2.9"


def test_an_address_with_a_long_zone_is_cut_and_not_misread() -> None:
    def read(text: str) -> str | None:
        return client_ip({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": text}, PROXIES)

    assert read("fe80::1%" + "z" * 300_000) == "fe80::1"
    assert read(" " * 300_000 + "192.0.2.9") == "192.0.2.9"


@pytest.mark.django_db
def test_a_host_longer_than_any_is_refused(settings: Settings, visitor: Client) -> None:
    settings.ALLOWED_HOSTS = [".example"]
    host = "a." * 5_000 + "example"

    assert visitor.get("/v1/api-keys", headers={"Host": host}).status_code == 400
    assert visitor.get("/v1/api-keys", headers={"Host": "a.example"}).status_code == 401


DEEP: Final = ["[" * 30_000, '{"a":' * 5_000, "9" * 5_000, "[" * 200_000, "7", '""', "[]", "{}"]
DEEP_INSIDE: Final = [
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": ' + inside + "}"
    for inside in (
        '{"userHandle": 7}',
        '{"userHandle": "!"}',
        '{"clientDataJSON": 7, "attestationObject": 7}',
        '{"clientDataJSON": "W1tb", "attestationObject": "' + "gYGB" * 5_000 + '"}',
        '{"clientDataJSON": "W1tb", "authenticatorData": "AAAA", "signature": "AA"}',
        "[" * 500 + "]" * 500,
        '"x"',
        "null",
    )
]


@pytest.mark.parametrize("credential", [*DEEP, *DEEP_INSIDE], ids=lambda text: text[-40:])
@pytest.mark.parametrize("path", ["login", "add", "reauthenticate"])
def test_a_malformed_passkey_is_refused(
    path: str, credential: str, acme: Organization, admin: User
) -> None:
    browser = Client(raise_request_exception=False)
    if path != "login":
        enter(browser, admin)
    there = reverse(f"mfa_{path}_webauthn")
    browser.get(there, headers={"X-Requested-With": "XMLHttpRequest"})

    assert browser.post(there, {"name": "x", "credential": credential}).status_code < 500


@pytest.mark.django_db
def test_a_longer_address_than_can_be_kept_is_refused_at_sign_up(visitor: Client) -> None:
    email = "a" * 290 + "@acme.example"
    fields = {"email": email, "password1": PASSWORD, "organization": "Acme"}
    response = visitor.post("/accounts/signup/", fields)

    assert response.context["form"].errors["email"] == [
        "Use 254 characters or fewer. You have used 303."
    ]


def test_staff_are_told_of_a_search_that_is_too_long(staff: User, acme: Organization) -> None:
    browser = enter(Client(REMOTE_ADDR=IP), staff)

    response = browser.get(page(Organization), {"q": "a " * 150})

    assert messages(response) == ["Search: use 200 characters or fewer."]
    assert "Acme" in html(response)


@pytest.mark.parametrize("lookup", ["name__regex", "name__iregex", "slug__regex"])
def test_staff_cannot_run_expressions_of_their_own(
    lookup: str, staff: User, acme: Organization
) -> None:
    browser = enter(Client(REMOTE_ADDR=IP, raise_request_exception=False), staff)

    assert browser.get(page(Organization), {lookup: "((a+)+)+$"}).status_code == 400
    assert browser.get(page(Organization), {"name__startswith": "A"}).status_code == 200


def test_a_long_place_to_go_on_to_is_not_gone_to(admin: User) -> None:
    browser = Client()
    fields = {"login": admin.email, "password": PASSWORD}

    response = browser.post("/accounts/login/", {**fields, "next": "/" + "x" * 3_000})

    assert response["Location"] == "/"
