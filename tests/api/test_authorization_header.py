"""Valid and invalid Authorization headers. The WSGI server joins two headers with a comma."""

from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries

from apikeys.services import Issued
from tests.support.api import CURRENT, KEYS
from tests.support.client import ApiClient

#: Each gets the secret of a usable key.
MALFORMED: dict[str, Callable[[str], str]] = {
    "scheme only": lambda s: "Bearer",
    "scheme and spaces": lambda s: "Bearer    ",
    "no scheme": lambda s: s,
    "other scheme": lambda s: f"Token {s}",
    "Basic": lambda s: "Basic dXNlcjpwYXNz",
    "Basic with the key": lambda s: f"Basic {s}",
    "colon": lambda s: f"Bearer: {s}",
    "tab for a space": lambda s: f"Bearer\t{s}",
    "no-break space for a space": lambda s: f"Bearer\xa0{s}",
    "quoted": lambda s: f'Bearer "{s}"',
    "parameter": lambda s: f"Bearer token={s}",
    "two tokens": lambda s: f"Bearer {s} {s}",
    "sent twice": lambda s: f"Bearer {s},Bearer {s}",
    "sent twice, other first": lambda s: f"Basic eA==, Bearer {s}",
    "scheme twice": lambda s: f"Bearer Bearer {s}",
    "100 KB": lambda s: "Bearer " + "a" * 100_000,
    "100 KB of keys": lambda s: f"Bearer {s * 2000}",
    "100 KB of spaces within": lambda s: "Bearer" + " " * 100_000 + s,
    "bytes that are no UTF-8": lambda s: "Bearer \xff\xfe",
    "key and a byte that is no UTF-8": lambda s: f"Bearer {s}\xff",
    "NUL": lambda s: f"Bearer {s}\x00",
    "NUL within": lambda s: f"Bearer {s[:20]}\x00{s[21:]}",
    "line feed": lambda s: f"Bearer {s}\n",
    "control character behind": lambda s: f"Bearer {s}\x1f",
    "no-break space behind": lambda s: f"Bearer {s}\xa0",
    "next line behind": lambda s: f"Bearer {s}\x85",
    "truncated": lambda s: f"Bearer {s[:-1]}",
    "suffixed": lambda s: f"Bearer {s}0",
    "dot behind": lambda s: f"Bearer {s}.",
    "upper case": lambda s: f"Bearer {s.upper()}",
    "swapped case": lambda s: f"Bearer {s.swapcase()}",
    "other environment": lambda s: f"Bearer {s.replace('_live_', '_test_')}",
    "other brand": lambda s: f"Bearer {s.replace('sig_', 'sk_')}",
    "displayed prefix": lambda s: f"Bearer {s[:13]}",
    "other first character": lambda s: f"Bearer {s[:9]}{'B' if s[9] == 'A' else 'A'}{s[10:]}",
    "percent-encoded": lambda s: f"Bearer {s.replace('_', '%5F')}",
    "JSON": lambda s: f'Bearer {{"key":"{s}"}}',
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_anything_but_one_whole_key_is_401_without_a_query(
    call: ApiClient,
    reader: Issued,
    kind: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    header = MALFORMED[kind](reader.secret)

    with django_assert_num_queries(0):
        answer = call("GET", CURRENT, headers={"Authorization": header})

    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


@pytest.mark.parametrize("header", ["", " ", "   \t ", "\t"])
def test_an_empty_header_is_401_as_if_none_was_sent(call: ApiClient, db: None, header: str) -> None:
    answer = call("GET", CURRENT, headers={"Authorization": header})

    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "header", ["bearer {}", "BEARER {}", "BeArEr {}", "Bearer  {}", " Bearer {} ", "Bearer {}\t"]
)
def test_the_scheme_may_have_any_case_and_spaces_around_it(
    call: ApiClient, reader: Issued, header: str
) -> None:
    headers = {"Authorization": header.format(reader.secret)}

    assert call("GET", CURRENT, headers=headers).status == 200


@pytest.mark.parametrize("name", ["access_token", "api_key", "key", "token", "authorization"])
def test_a_key_in_the_query_is_not_accepted(call: ApiClient, reader: Issued, name: str) -> None:
    answer = call("GET", CURRENT, query={name: reader.secret})

    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert reader.secret.encode() not in answer.raw


@pytest.mark.parametrize("name", ["access_token", "api_key", "key", "token"])
def test_a_key_in_the_body_is_not_accepted(call: ApiClient, manager: Issued, name: str) -> None:
    body = {name: manager.secret, "name": "New", "scopes": ["search:read"]}

    answer = call("POST", KEYS, body)

    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert manager.secret.encode() not in answer.raw


def test_a_key_in_a_form_is_not_accepted(call: ApiClient, manager: Issued) -> None:
    form = f"access_token={manager.secret}".encode()

    answer = call("POST", KEYS, form, content_type="application/x-www-form-urlencoded")

    assert answer.status == 401


@pytest.mark.parametrize("name", ["X-API-Key", "X-Authorization", "Proxy-Authorization", "Api-Key"])
def test_a_key_in_another_header_is_not_accepted(
    call: ApiClient, reader: Issued, name: str
) -> None:
    headers = {name: f"Bearer {reader.secret}"}

    assert call("GET", CURRENT, headers=headers).status == 401
