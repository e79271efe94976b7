"""Query parameters that mean nothing: each a 400 that names the parameter."""

import pytest
from django.core.signing import Signer

from apikeys.services import Issued
from organizations.models import Organization
from tests.client import ApiClient
from tests.factories import IssuedKeyFactory
from tests.support_api import KEYS, MakeKey, Refuses

BAD = [
    ("limit", value)
    for value in (
        "", "0", "-1", "101", "abc", "1.5", "1e1", "0x10", "+5", "%205", "5%20", "9" * 400,
        "1_0", "%D9%A5", "%EF%BC%95", "%00", "5%00", "null", "true", "%ff", "NaN", "[]",
    )
] + [
    ("status", value)
    for value in ("", "ACTIVE", "Active", "active%20", "live", "all", "*", "%00", "%ff", "activ")
] + [
    ("cursor", value)
    for value in (
        "", "0", "null", "a:b", ":", "a:b:c", "%00", "%ff", "%ed%a0%80", "x" * 50_000, "%E2%82%AC",
        "..%2F..%2Fetc", "' OR 1=1 --", "eyJhIjoxfQ:aaaa",
    )
] + [("name", "%00"), ("name", "a%00b")] + [
    (name, "1")
    for name in (
        "page", "offset", "Limit", "limit%20", "limit[]", "pageSize", "format", "api_key", "sort",
        "organization", "environment", "include", "__proto__", "id",
    )
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_parameter_that_means_nothing_is_named(refuses: Refuses, name: str, value: str) -> None:
    refuses("GET", f"{KEYS}?{name}={value}", None, name.replace("%20", " "))


@pytest.mark.parametrize("value", ["%ff", "%ed%a0%80", "%f0%9f", "%c0%80", "%", "%zz"])
def test_a_name_that_is_no_text_is_nobody_s(call: ApiClient, manager: Issued, value: str) -> None:
    answer = call("GET", f"{KEYS}?name={value}", key=manager)

    assert (answer.status, answer.body["data"]) == (200, [])


def test_more_parameters_than_django_reads_are_400(call: ApiClient, manager: Issued) -> None:
    answer = call("GET", f"{KEYS}?{'&'.join(['a=1'] * 2_000)}", key=manager)

    assert (answer.status, answer.error["type"]) == (400, "validation_error")


def test_a_secret_as_a_parameter_is_not_repeated(call: ApiClient, manager: Issued) -> None:
    for query in (f"{manager.secret}=1", f"KEY{manager.secret}", f"limit={manager.secret}"):
        answer = call("GET", f"{KEYS}?{query}", key=manager)

        assert answer.status == 400
        assert manager.secret[13:].encode() not in answer.raw


# --- Cursors ---


@pytest.fixture
def cursor(call: ApiClient, manager: Issued, make_key: MakeKey) -> str:
    """Of Acme's list without filters."""
    make_key(), make_key()
    text: str = call("GET", f"{KEYS}?limit=1", key=manager).body["pagination"]["cursor"]
    return text


def test_a_cursor_can_be_used(call: ApiClient, manager: Issued, cursor: str) -> None:
    answer = call("GET", KEYS, key=manager, query={"cursor": cursor})

    assert (answer.status, len(answer.body["data"])) == (200, 2)


@pytest.mark.parametrize("position", [0, 5, -1, -20])
def test_a_cursor_with_one_other_character_is_refused(
    refuses: Refuses, cursor: str, position: int
) -> None:
    place = position % len(cursor)
    other = "A" if cursor[place] != "A" else "B"
    refuses("GET", f"{KEYS}?cursor={cursor[:place]}{other}{cursor[place + 1 :]}", None, "cursor")


@pytest.mark.parametrize("filters", ["status=active", "name=Manager", "name="])
def test_a_cursor_of_another_filter_is_refused(refuses: Refuses, cursor: str, filters: str) -> None:
    refuses("GET", f"{KEYS}?{filters}&cursor={cursor}", None, "cursor")


def test_a_cursor_of_another_organization_is_refused(
    call: ApiClient, foreigner: Issued, globex: Organization, cursor: str
) -> None:
    IssuedKeyFactory.create_batch(3, organization=globex)

    answer = call("GET", KEYS, key=foreigner, query={"cursor": cursor})

    assert (answer.status, answer.fields) == (400, ["cursor"])


def test_a_cursor_of_the_other_environment_is_refused(
    call: ApiClient, sandbox: Issued, cursor: str
) -> None:
    answer = call("GET", KEYS, key=sandbox, query={"cursor": cursor})

    assert (answer.status, answer.fields) == (400, ["cursor"])


@pytest.mark.parametrize("salt", ["", "key-list:", "django.core.signing"])
@pytest.mark.parametrize("value", [None, 7, "", "x", "0" * 32, {"id": 1}, []])
def test_a_cursor_signed_for_something_else_is_refused(
    refuses: Refuses, salt: str, value: object
) -> None:
    forged = Signer(salt=salt or None).sign_object(value)

    refuses("GET", f"{KEYS}?cursor={forged}", None, "cursor")
