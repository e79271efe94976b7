"""No input of the maximum size costs over twenty times as much as a harmless one of that size."""

import json
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from pytest_django import Settings
from rest_framework.exceptions import APIException

from apikeys.api.formats.account import ACCOUNT as ACCOUNT_FORMAT
from apikeys.api.parsers import StrictJSONParser
from apikeys.pages.csv_export import cell
from apikeys.services import Issued
from apikeys.validation import clean_metadata, read_timestamp
from config.wsgi_body import measured
from core import ids
from core.exceptions import DomainError
from core.forms import TextField
from core.redaction import holds_secret, redact
from core.request_context import client_ip, read_request_context
from core.text import clean_name, clean_text, name_key, require_text
from organizations.models import Organization, ServiceAccount, User
from organizations.signin.forms import CredentialField
from tests.admin.support import IP, change, enter, page
from tests.factories import PASSWORD, ServiceAccountFactory, TemplateFactory
from tests.pages.conftest import address, browser
from tests.pages.support import sign_in
from tests.pages.world import Address
from tests.security.hostile.costly import costly, filled, harmless, worst
from tests.security.hostile.test_api import FORMATS
from tests.security.hostile.test_forms import FORMS, GOOD
from tests.security.hostile.timing import too_costly
from tests.support.client import ApiClient
from tests.support.dialects import ACCOUNT, DIALECTS, Dialect

__all__ = ["address", "browser"]
#: A little less than what is taken, for the other fields and the frame around them.
PAGE_SIZE: Final = 250_000
BODY_SIZE: Final = 65_000
QUERY_SIZE: Final = 60_000
#: All headers of a request, as the server takes them; pages take fewer.
HEADER_SIZE: Final = 300_000
PAGE_HEADER_SIZE: Final = 30_000
ORDINARY: Final = {size: ["x" * size] for size in (PAGE_SIZE, QUERY_SIZE)}
PROXIES: Final = [ip_network("127.0.0.0/8")]

FUNCTIONS: Final[dict[str, Callable[[str], object]]] = {
    "clean_name": clean_name,
    "clean_text": lambda text: clean_text(text, "description"),
    "require_text": lambda text: require_text(text, "value"),
    "name_key": name_key,
    "clean_metadata": lambda text: clean_metadata({text: text}),
    "a value of metadata": lambda text: clean_metadata({"a": text}),
    "read_timestamp": read_timestamp,
    "read_id": lambda text: ids.read_id("key", text),
    "redact": redact,
    "holds_secret": holds_secret,
    "cell": cell,
    "TextField": lambda text: TextField().clean(text),
    "CredentialField": lambda text: CredentialField().clean(text),
    "validate_password": validate_password,
    "JSON": lambda text: StrictJSONParser().parse(BytesIO(json.dumps(text).encode())),
    "user agent": lambda text: read_request_context({"HTTP_USER_AGENT": text}, []),
}


def _tried(act: Callable[[str], object]) -> Callable[[str], None]:
    def trying(text: str) -> None:
        with suppress(DomainError, ValidationError, APIException):
            act(text)

    return trying


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_text_is_dear_to_a_function(name: str) -> None:
    size = BODY_SIZE if name == "JSON" else PAGE_SIZE
    act = _tried(FUNCTIONS[name])

    assert too_costly(act, costly(size), harmless(size)) == {}


@pytest.mark.parametrize("length", [400, 2000])
def test_what_is_just_short_enough_to_be_normalized_is_not_dear(length: int) -> None:
    marks = {"marks": "a" + "\u0315\u0300" * (length // 2 - 1)}

    act = _tried(lambda text: clean_text(text, "description", length // 4))

    assert too_costly(act, marks, ["x" * length]) == {}


def test_the_comparison_sees_a_text_that_is_normalized_first() -> None:
    def normalizes_first(text: str) -> None:
        text = unicodedata.normalize("NFC", text)
        if len(text) <= 100:
            require_text(text, "name")

    found = too_costly(normalizes_first, worst(40_000), harmless(40_000))

    assert {"combining marks", "marks in an address"} <= set(found)


def _posts(browser: Client, there: str, good: dict[str, Any], field: str) -> Callable[[str], None]:
    """Sends a text as one field of a form, past whatever counts attempts."""
    browser.raise_request_exception = False

    def post(text: str) -> None:
        cache.clear()
        assert browser.post(there, {**good, field: text}).status_code < 500

    return post


@pytest.mark.parametrize(("app", "name", "fields"), FORMS)
def test_no_text_is_dear_to_a_form_of_the_settings(
    address: Address, browser: Client, app: str, name: str, fields: tuple[str, ...]
) -> None:
    there = address(app, name)
    for field in fields:
        act = _posts(browser, there, GOOD, field)
        assert too_costly(act, worst(PAGE_SIZE), ORDINARY[PAGE_SIZE]) == {}, field


ANYONE: Final[list[tuple[str, tuple[str, ...]]]] = [
    ("/accounts/login/", ("login", "password", "next", "remember")),
    ("/accounts/signup/", ("email", "password1", "name", "organization", "next")),
    ("/accounts/password/reset/", ("email",)),
    ("/accounts/2fa/webauthn/login/", ("credential", "next")),
    ("/theme/", ("theme", "next")),
    ("/admin/login/", ("username", "password", "next")),
]
SIGNED_IN: Final[list[tuple[str, tuple[str, ...]]]] = [
    ("/accounts/email/", ("email", "action_add")),
    ("/accounts/password/change/", ("oldpassword", "password1", "password2")),
    ("/accounts/reauthenticate/", ("password", "next")),
    ("/accounts/2fa/totp/activate/", ("code",)),
    ("/accounts/2fa/webauthn/add/", ("name", "credential")),
    ("/accounts/2fa/webauthn/reauthenticate/", ("credential",)),
    ("/accounts/sessions/", ("session",)),
    ("/organizations/new/", ("name",)),
]
_ANSWERS: Final = {
    "login": "ada@acme.example",
    "email": "new@acme.example",
    "email2": "new@acme.example",
    "action_add": "1",
    "password": PASSWORD[1:],
    "theme": "dark",
    "name": "Good",
    "organization": "",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("there", "fields"), ANYONE)
def test_no_text_of_a_stranger_is_dear(there: str, fields: tuple[str, ...], admin: User) -> None:
    for field in fields:
        act = _posts(Client(), there, _ANSWERS, field)
        assert too_costly(act, worst(PAGE_SIZE), ORDINARY[PAGE_SIZE]) == {}, field


@pytest.mark.parametrize(("there", "fields"), SIGNED_IN)
def test_no_text_about_an_account_is_dear(
    there: str, fields: tuple[str, ...], acme: Organization, admin: User
) -> None:
    for field in fields:
        act = _posts(enter(Client(), admin), there, _ANSWERS, field)
        assert too_costly(act, worst(PAGE_SIZE), ORDINARY[PAGE_SIZE]) == {}, field


def test_no_text_is_dear_to_a_form_of_the_staff(staff: User, acme: Organization) -> None:
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme)
    template = TemplateFactory.create(organization=acme)
    client = enter(Client(REMOTE_ADDR=IP), staff)
    pages = {
        change(acme): ("name", "rate_limit_tier", "key_limit", "initial-name"),
        change(account): ("name", "description"),
        change(template): ("name", "description", "scopes", "lifetime_days"),
        change(staff): ("email", "name"),
        "/admin/apikeys/apikey/add/": ("name", "description", "expires_at", "service_account"),
        "/admin/organizations/organization/add/": ("name", "admin_email"),
        "/admin/password_change/": ("old_password", "new_password1", "new_password2"),
    }
    for there, fields in pages.items():
        for field in fields:
            act = _posts(client, there, {"name": "Good"}, field)
            assert too_costly(act, worst(PAGE_SIZE), ORDINARY[PAGE_SIZE]) == {}, (there, field)


def _queries(client: Client, there: str, name: str) -> Callable[[str], None]:
    client.raise_request_exception = False

    def get(text: str) -> None:
        query = urlencode({name: text}, safe=" ")[:QUERY_SIZE]
        assert client.get(f"{there}?{query}").status_code < 500

    return get


def test_no_search_of_the_staff_is_dear(staff: User, acme: Organization) -> None:
    client = enter(Client(REMOTE_ADDR=IP), staff)
    lists = [page(model) for model in django_admin.site._registry]
    completed = "/admin/autocomplete/?app_label=apikeys&model_name=keytemplate"
    act = _queries(client, f"{completed}&field_name=organization&", "term")
    assert too_costly(act, worst(QUERY_SIZE), ORDINARY[QUERY_SIZE]) == {}
    for there in lists:
        act = _queries(client, there, "q")
        assert too_costly(act, worst(QUERY_SIZE), ORDINARY[QUERY_SIZE]) == {}, there


@pytest.mark.parametrize(
    ("app", "name", "parameters"),
    [
        ("apikeys", "configuration", ("q", "status", "sort", "page", "new")),
        ("apikeys", "activity", ("actor", "kind", "key", "since", "until", "cursor")),
        ("apikeys", "usage", ("key", "period")),
    ],
)
def test_no_query_of_a_page_is_dear(
    address: Address, browser: Client, app: str, name: str, parameters: tuple[str, ...]
) -> None:
    for parameter in parameters:
        act = _queries(browser, address(app, name), parameter)
        assert too_costly(act, worst(QUERY_SIZE), ORDINARY[QUERY_SIZE]) == {}, parameter


def _fields(dialect: Dialect, wire: Any) -> list[str]:
    return [wire.name(name) for name in wire.takes["create"]]


@pytest.mark.parametrize(
    ("dialect", "wire"), FORMATS, ids=lambda value: str(value) if isinstance(value, Dialect) else ""
)
def test_no_field_of_a_body_is_dear(
    dialect: Dialect,
    wire: Any,
    call: ApiClient,
    acme: Organization,
    manager: Issued,
    set_limit: Callable[[int], None],
) -> None:
    set_limit(1_000_000)
    for field in [*_fields(dialect, wire), "unknown"]:

        def post(value: Any, field: str = field) -> None:
            body = {"name": "Good", "scopes": ["search:read"], field: value}
            data = json.dumps(body, ensure_ascii=False).encode()[:BODY_SIZE]
            assert call("POST", dialect.keys(acme), data, key=manager).status < 500

        size = BODY_SIZE - 200
        assert too_costly(post, worst(size), ["x" * size]) == {}, field


BODIES: Final = {
    "deep lists": b"[" * BODY_SIZE,
    "deep objects": b'{"a":' * (BODY_SIZE // 5),
    "many objects": b'{"name": [' + b"{}," * (BODY_SIZE // 3 - 9) + b"{}]}",
    "many numbers": b'{"name": [' + b"1e5," * (BODY_SIZE // 4 - 9) + b"1]}",
    "long numbers": b'{"name": [' + (b"9" * 4_000 + b",") * 15 + b"1]}",
    "a longer number": b'{"name": ' + b"9" * (BODY_SIZE - 20) + b"}",
    "a long fraction": b'{"name": 0.' + b"1" * (BODY_SIZE - 20) + b"}",
    "many names": b"{" + b",".join(b'"%d":1' % n for n in range(6_000)) + b"}",
    "many entries": b'{"metadata": {' + b",".join(b'"%d":1' % n for n in range(5_000)) + b"}}",
    "many scopes": b'{"name": "x", "scopes": ['
    + b",".join([b'"search:read"'] * (BODY_SIZE // 14 - 9))
    + b"]}",
    "escapes": b'{"name": "' + b"\\u0315" * (BODY_SIZE // 6 - 9) + b'"}',
    "blanks": b" " * (BODY_SIZE - 2) + b"{}",
}


@pytest.mark.parametrize("dialect", [*DIALECTS, ACCOUNT], ids=str)
def test_no_body_is_dear(
    dialect: Dialect,
    call: ApiClient,
    acme: Organization,
    manager: Issued,
    set_limit: Callable[[int], None],
) -> None:
    set_limit(1_000_000)
    plain = [b'{"name": "' + b"x" * (BODY_SIZE - 20) + b'"}', b'{"name": "x"}' + b" " * BODY_SIZE]

    def post(body: bytes) -> None:
        assert call("POST", dialect.keys(acme), body[:BODY_SIZE], key=manager).status < 500

    assert too_costly(post, BODIES, plain) == {}


@pytest.mark.parametrize("parameter", ["name", "status", "cursor", "limit", "x"])
def test_no_parameter_of_a_list_is_dear(
    parameter: str, call: ApiClient, manager: Issued, set_limit: Callable[[int], None]
) -> None:
    set_limit(1_000_000)

    def get(text: str) -> None:
        query = urlencode({parameter: text})[:QUERY_SIZE]
        assert call("GET", f"/v1/api-keys?{query}", key=manager).status < 500

    assert too_costly(get, worst(QUERY_SIZE), ORDINARY[QUERY_SIZE]) == {}


#: What a header's value repeats, by header; the server takes ASCII.
HEADERS: Final = {
    "X-Forwarded-For": ("", "127.0.0.1, 127.1, ::1,"),
    "X-Forwarded-Proto": ("", "https,"),
    "Authorization": ("Bearer ", "sig_live_"),
    "Accept": ("text/html", ';a="'),
    "Accept-Encoding": ("gzip", ";q=0.1,gzip"),
    "Accept-Language": ("en", ",en-US;q=0.5"),
    "Cookie": ('theme="', "\\134"),
    "Cookie ": ("", "a=1;"),
    "User-Agent": ("", "sig_live_"),
    "Idempotency-Key": ("", "sig_live_"),
    "X-Workspace-ID": ("", "-"),
    "If-None-Match": ("", '"a",'),
    "If-Modified-Since": ("", "Mon, "),
    "Range": ("bytes=", "0-1,"),
    "Referer": ("https://", "["),
    "Origin": ("https://", "["),
    "Host": ("", "a."),
}


def _headers(name: str, size: int) -> tuple[dict[str, str], list[str]]:
    start, part = HEADERS[name]
    return {name: filled(start, part, size)}, ["x" * size]


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_of_a_call_is_dear(
    name: str, call: ApiClient, manager: Issued, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    hostile, plain = _headers(name, HEADER_SIZE)

    def get(value: str) -> None:
        headers = {"Authorization": f"Bearer {manager.secret}", name.strip(): value}
        assert call("GET", "/v1/api-keys/current", headers=headers).status < 500

    assert too_costly(get, hostile, plain) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("size", [PAGE_HEADER_SIZE, HEADER_SIZE])
@pytest.mark.parametrize("name", HEADERS)
def test_no_header_of_a_page_is_dear(name: str, size: int, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    hostile, plain = _headers(name, size)
    client = Client(raise_request_exception=False)

    def get(value: str) -> None:
        client.cookies.clear()
        answer = client.get("/accounts/login/", headers={name.strip(): value})
        assert answer.status_code < 500

    assert too_costly(get, hostile, plain) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/api-keys", "/accounts/login/"])
def test_no_media_type_is_dear(path: str) -> None:
    application = measured(WSGIHandler(), limit=1)
    kinds = ("", ";"), ("text/plain", ';a="'), ("text/plain", ";a*0=b"), ("multipart/x;", '"\\')

    def post(kind: str) -> None:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "CONTENT_TYPE": kind,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "http",
        }
        list(application(environ, lambda status, headers: None))

    hostile = {part: filled(start, part, HEADER_SIZE) for start, part in kinds}
    assert too_costly(post, hostile, ["x" * HEADER_SIZE]) == {}


def test_no_chain_of_proxies_is_dear() -> None:
    chain = ",".join(f"127.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(1, 25_000))

    def read(text: str) -> str | None:
        return client_ip({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": text}, PROXIES)

    assert read(chain) is not None
    assert too_costly(read, {"chain": chain}, ["1.2.3.4, " * 30_000]) == {}


@pytest.mark.parametrize("part", ["--x\r\n", "--x\r\nContent-Disposition: form-data\r\n\r\n", "\r"])
def test_no_form_in_parts_is_dear(part: str, acme: Organization, admin: User) -> None:
    browser = sign_in(admin)
    head = '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n'

    def post(middle: str) -> None:
        body = f"{head}{middle}\r\n--x--\r\n"
        there = "/organizations/new/"
        answer = browser.generic("POST", there, body, "multipart/form-data; boundary=x")
        assert answer.status_code < 500

    hostile = {part: filled("", part, PAGE_SIZE)}
    assert too_costly(post, hostile, harmless(PAGE_SIZE)) == {}


def test_the_account_format_takes_names_too() -> None:
    assert {"name", "description"} <= set(ACCOUNT_FORMAT.takes["create"])
