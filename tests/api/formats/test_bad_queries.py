"""Invalid query parameters get a 400 that names the parameter."""

import pytest
from django.core.signing import Signer

from apikeys.services import Issued
from organizations.models import Organization
from tests.api.formats.conftest import Send
from tests.factories import IssuedKeyFactory
from tests.support.api import MakeKey, Refuses
from tests.support.dialects import Dialect, that_can

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
    refuses("GET", f"?{name}={value}", None, name.replace("%20", " "))


paged = that_can("pages")


@paged
@pytest.mark.parametrize("value", ["%ff", "%ed%a0%80", "%f0%9f", "%c0%80", "%", "%zz"])
def test_a_name_that_is_no_text_is_nobody_s(send: Send, dialect: Dialect, value: str) -> None:
    answer = send("GET", f"?name={value}")

    assert (answer.status, dialect.items(answer.body)) == (200, [])


def test_more_parameters_than_django_reads_are_400(send: Send) -> None:
    answer = send("GET", f"?{'&'.join(['a=1'] * 2_000)}")

    assert answer.status == 400
    assert answer.refusal.message


def test_a_parameter_that_comes_twice_is_named(refuses: Refuses) -> None:
    refuses("GET", "?limit=1&limit=2", None, "limit")


def test_a_secret_as_a_parameter_is_not_repeated(send: Send, manager: Issued) -> None:
    for query in (f"{manager.secret}=1", f"KEY{manager.secret}", f"limit={manager.secret}"):
        answer = send("GET", f"?{query}")

        assert answer.status == 400
        assert manager.secret[13:].encode() not in answer.raw


# --- Cursors ---


@pytest.fixture
def cursor(send: Send, dialect: Dialect, make_key: MakeKey) -> str:
    """Of Acme's list without filters."""
    make_key(), make_key()
    text: str = dialect.next_cursor(send("GET", "?limit=1").body)
    return text


@paged
def test_a_cursor_can_be_used(send: Send, dialect: Dialect, cursor: str) -> None:
    answer = send("GET", f"?cursor={cursor}")

    assert (answer.status, len(dialect.items(answer.body))) == (200, 2)


@paged
@pytest.mark.parametrize("position", [0, 5, -1, -20])
def test_a_cursor_with_one_other_character_is_refused(
    refuses: Refuses, cursor: str, position: int
) -> None:
    place = position % len(cursor)
    other = "A" if cursor[place] != "A" else "B"
    refuses("GET", f"?cursor={cursor[:place]}{other}{cursor[place + 1 :]}", None, "cursor")


@paged
@pytest.mark.parametrize("filters", ["status=active", "name=Manager", "name="])
def test_a_cursor_of_another_filter_is_refused(refuses: Refuses, cursor: str, filters: str) -> None:
    refuses("GET", f"?{filters}&cursor={cursor}", None, "cursor")


@paged
def test_a_cursor_of_another_organization_is_refused(
    send: Send, foreigner: Issued, globex: Organization, cursor: str
) -> None:
    IssuedKeyFactory.create_batch(3, organization=globex)

    answer = send("GET", f"?cursor={cursor}", key=foreigner)

    assert (answer.status, answer.refusal.fields) == (400, ("cursor",))


@paged
def test_a_cursor_of_the_other_environment_is_refused(
    send: Send, tester: Issued, cursor: str
) -> None:
    answer = send("GET", f"?cursor={cursor}", key=tester)

    assert (answer.status, answer.refusal.fields) == (400, ("cursor",))


@paged
@pytest.mark.parametrize("salt", ["", "key-list:", "django.core.signing"])
@pytest.mark.parametrize("value", [None, 7, "", "x", "0" * 32, {"id": 1}, []])
def test_a_cursor_signed_for_something_else_is_refused(
    refuses: Refuses, salt: str, value: object
) -> None:
    forged = Signer(salt=salt or None).sign_object(value)

    refuses("GET", f"?cursor={forged}", None, "cursor")
