"""Unknown URLs get a JSON 404, never a redirect, a page or another object."""

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.api import KEYS, templates
from tests.support.client import ApiClient

UNKNOWN = [
    "/v1", "/v1/", "/v1/nowhere", "/v1/api-key", "/v1/api-keys/", "/v1/api-keys//", "/v1//api-keys",
    "/v1/api-keys/current/", "/v1/API-KEYS", "/v1/Api-Keys", "/v1/api_keys", "/v1/api-keys.json",
    "/v1/./api-keys", "/v1/../v1/api-keys", "/v1/%2e%2e/api-keys", "/v1/api-keys/../../admin/",
    "/v1/..%2f..%2fetc%2fpasswd", "/v1/api-keys%00", "/v1/api-keys%20", "/v1/api-keys%0a",
    "/v1/api-keys;x=1", "/v1/api-keys\\current", "/v1/%ff%fe", "/v1/api-keys/current/rotate/x",
    "/v1/accounts", "/v1/accounts/", "/v1/accounts//templates", "/v1/v1/api-keys", "/v1/admin",
    "/v1/" + "a" * 10_000, "/v1/" + "a/" * 2_000, "/v1/foo%0abar", "/v1/{id}", "/v1/鍵",
    "/api", "/api/", "/api/v1", "/api/v1/api-keys", "/api/v1/workspaces", "/api/../admin",
    "/envelope", "/envelope/", "/envelope/v1", "/envelope/v1/api-keys/", "/envelope/api-keys/x",
]  # fmt: skip
#: Each takes a UUID and gives a spelling that names nothing.
MISSPELLED = [
    "{upper}", "{{{uuid}}}", "urn:uuid:{uuid}", "{hex}", "{uuid}.", "{uuid}%20", "%20{uuid}",
    "{uuid}%00", "{uuid}%0a", "{public}.", "{public}%20", "{public}%00", "{public}0",
    "{public_cut}", "{public_upper}", "{public_lower}", "{public_digit}", "{bare}",
    "org_{bare}", "tpl_{bare}",
    "KEY_{bare}", "key-{bare}", "key__{bare}", "key_key_{bare}", "key_zzzzzzzzzzzzzzzzzzzzzz", "1",
    "%D9%A1", "-1", "null", "undefined", "..", "%2e%2e", "{long}", "*", "%ff", "%F0%9F%94%91",
]  # fmt: skip


def spelled(form: str, issued: Issued) -> str:
    """`form` filled in with the id of `issued`."""
    uuid, public = str(issued.key.id), issued.key.public_id
    bare = public.removeprefix("key_")
    return form.format(
        uuid=uuid,
        upper=uuid.upper(),
        hex=issued.key.id.hex,
        public=public,
        public_cut=public[:-1],
        public_upper=public.upper(),
        public_lower=public[:4] + public[4:].lower() + "é",
        public_digit=public[:-1] + "%D9%A1",
        bare=bare,
        long=public + "0" * 5_000,
    )


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_address_is_a_json_404(
    call: ApiClient, manager: Issued, path: str, method: str
) -> None:
    answer = call(method, path, {"name": "x"}, key=manager)

    assert answer.status == 404
    assert answer.refusal.code in ("not_found", None)
    assert answer.refusal.request_id in (answer.headers["X-Request-Id"], None)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/nowhere", "/api/x", "/envelope"])
def test_an_unknown_address_needs_no_key_and_no_query(call: ApiClient, path: str) -> None:
    # Without the `db` fixture a query would fail.
    assert call("GET", path).status == 404


@pytest.mark.parametrize("form", MISSPELLED)
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/rotate")])
def test_an_impossible_key_id_is_400_in_the_canonical_format(
    call: ApiClient, manager: Issued, method: str, rest: str, form: str
) -> None:
    answer = call(method, f"{KEYS}/{spelled(form, manager)}{rest}", key=manager)

    assert (answer.status, answer.fields) == (400, ["id"])
    assert answer.error["message"].startswith("Not an API key ID")


@pytest.mark.parametrize("form", MISSPELLED)
def test_an_impossible_account_id_is_404(call: ApiClient, manager: Issued, form: str) -> None:
    answer = call("GET", f"/v1/accounts/{spelled(form, manager)}/templates", key=manager)

    assert (answer.status, answer.error["code"]) == (404, "not_found")


@pytest.mark.parametrize("form", MISSPELLED)
def test_an_impossible_template_id_is_404(
    call: ApiClient, manager: Issued, acme: Organization, form: str
) -> None:
    answer = call("GET", f"{templates(acme)}/{spelled(form, manager)}", key=manager)

    assert (answer.status, answer.error["code"]) == (404, "not_found")


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace("-", "")])
def test_one_s_own_account_has_one_spelling_of_its_uuid(
    call: ApiClient, manager: Issued, acme: Organization, change: "object"
) -> None:
    account = change(str(acme.id))  # type: ignore[operator]

    assert call("GET", f"/v1/accounts/{account}/templates", key=manager).status == 404


def test_a_key_id_is_no_template_id(call: ApiClient, manager: Issued, acme: Organization) -> None:
    template = TemplateFactory.create(organization=acme)

    assert call("GET", f"{KEYS}/{template.id}", key=manager).status == 404
    assert call("GET", f"{templates(acme)}/{manager.key.id}", key=manager).status == 404


@pytest.mark.parametrize("path", ["/v1%2fapi-keys", "/v1/api-keys%2F{id}"])
def test_an_encoded_slash_is_a_slash_and_opens_no_more_than_one(
    call: ApiClient, manager: Issued, reader: Issued, foreigner: Issued, path: str
) -> None:
    # WSGI decodes it before anybody sees it: route and authorization see the same address.
    encoded = path.format(id=manager.key.public_id)
    plain = encoded.replace("%2f", "/").replace("%2F", "/")

    for key in (reader, foreigner, None):
        assert call("GET", encoded, key=key).status == call("GET", plain, key=key).status
