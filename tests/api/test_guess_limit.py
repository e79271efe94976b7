"""Guessing keys affects only the IP address that guesses."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apikeys import services, tokens
from apikeys.services import Issued
from apikeys.verification import guess_limit, key_cache
from core.actors import Actor
from organizations.models import Organization
from tests.support.api import CURRENT, MakeKey, templates, without_request_id
from tests.support.client import Answer, ApiClient
from tests.support.dialects import DIALECTS
from tests.support.logs import Lines

MOST = 5
#: Look-ups that an address has left in each of its two budgets, once it has spent its guesses.
SPARE = 1
ELSEWHERE = "198.51.100.7"


@pytest.fixture(autouse=True)
def few(settings: Settings) -> None:
    settings.INVALID_KEYS_PER_MINUTE = MOST
    key_cache.stop()


def _from(call: ApiClient, address: str) -> None:
    call.client.defaults["REMOTE_ADDR"] = address


def _made_up() -> str:
    return tokens.generate("sig", tokens.Environment.LIVE)


def _guess(call: ApiClient, times: int = MOST) -> list[int]:
    return [call("GET", CURRENT, key=_made_up()).status for _ in range(times)]


def _query_count(call: ApiClient, key: str) -> tuple[Answer, int]:
    call.writes_usage = False
    with CaptureQueriesContext(connection) as queries:
        answer = call("GET", CURRENT, key=key)
    return answer, len(queries)


def test_more_guesses_are_refused_without_a_look(call: ApiClient, db: None) -> None:
    assert _guess(call, MOST + SPARE) == [401] * (MOST + SPARE)

    answer, queries = _query_count(call, _made_up())

    assert (answer.status, answer.refusal.code, queries) == (429, "rate_limited", 0)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "invalid API keys" in answer.refusal.message


def test_keys_that_were_accepted_before_go_on(
    call: ApiClient, reader: Issued, make_key: MakeKey
) -> None:
    newcomer = make_key(name="Newcomer")
    call("GET", CURRENT, key=reader)
    _guess(call, MOST * 2)

    assert call("GET", CURRENT, key=reader).status == 200
    assert call("GET", CURRENT, key=newcomer).status == 429
    _from(call, ELSEWHERE)
    assert call("GET", CURRENT, key=newcomer).status == 200


def test_a_new_key_gets_in_although_its_address_has_spent_its_guesses(
    call: ApiClient, make_key: MakeKey
) -> None:
    """With the queries of any other address, and from then on as a key that is known."""
    newcomer, other = make_key(name="Newcomer"), make_key(name="Other")
    _from(call, ELSEWHERE)
    _, usual = _query_count(call, other.secret)
    _from(call, "127.0.0.1")
    _guess(call)

    answer, queries = _query_count(call, newcomer.secret)
    _guess(call, MOST * 2)

    assert (answer.status, queries) == (200, usual)
    assert call("GET", CURRENT, key=newcomer).status == 200


def test_a_new_key_gets_in_at_its_second_attempt_while_guesses_go_on(
    call: ApiClient, make_key: MakeKey
) -> None:
    newcomer = make_key(name="Newcomer")
    _guess(call, 1_200)

    refused = call("GET", CURRENT, key=newcomer)
    _guess(call, 1_200)
    answer = call("GET", CURRENT, key=newcomer)

    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert answer.status == 200


def test_a_key_that_is_sent_again_and_again_leaves_the_rest_to_others(
    call: ApiClient, make_key: MakeKey, as_admin: Actor
) -> None:
    """A deleted key in a forgotten job, or one that never was."""
    deleted, newcomer = make_key(name="Deleted"), make_key(name="Newcomer")
    services.revoke_api_key(deleted.key, actor=as_admin)
    never = _made_up()
    for _ in range(MOST * 2):
        call("GET", CURRENT, key=never)
    statuses = [call("GET", CURRENT, key=deleted).status for _ in range(MOST * 2)]
    refused = call("GET", CURRENT, key=deleted)

    first, second = (call("GET", CURRENT, key=newcomer).status for _ in range(2))

    assert statuses == [401, *[429] * (MOST * 2 - 1)]
    assert int(refused.headers["Retry-After"]) > 1
    assert (first, second) == (429, 200)


def test_both_budgets_of_a_guesser_end(call: ApiClient, db: None) -> None:
    """Of one that sends each of its guesses twice, too."""
    _guess(call, MOST + SPARE)
    statuses = [
        call("GET", CURRENT, key=key).status for key in (_made_up() for _ in range(9)) for _ in "12"
    ]

    assert statuses.count(401) == SPARE
    assert _query_count(call, _made_up())[1] == 0


def test_the_key_whose_prefix_was_guessed_loses_nothing(call: ApiClient, reader: Issued) -> None:
    prefix = tokens.displayed_prefix(reader.secret)
    body = prefix + _made_up()[len(prefix) : -6]
    _from(call, ELSEWHERE)
    for _ in range(MOST + 1):
        call("GET", CURRENT, key=body + tokens.checksum(body))
    _from(call, "203.0.113.9")

    answer = call("GET", CURRENT, key=reader)

    assert answer.status == 200
    assert '"standard";r=599;' in answer.headers["RateLimit"]


def _with_checksum(body: str) -> str:
    return body + tokens.checksum(body)


def test_whatever_is_no_key_gets_the_same_answer(
    call: ApiClient, reader: Issued, settings: Settings
) -> None:
    """Mistyped or made up, with a prefix that exists or one that does not."""
    settings.INVALID_KEYS_PER_MINUTE = 0
    genuine, prefix = reader.secret, tokens.displayed_prefix(reader.secret)
    sent = [
        _made_up(),
        _with_checksum(prefix + _made_up()[len(prefix) : -6]),
        _with_checksum(genuine[:-7] + ("A" if genuine[-7] != "A" else "B")),
        genuine[:-1] + ("A" if genuine[-1] != "A" else "B"),
        *(genuine[:-1], f"{genuine}0", genuine.swapcase(), prefix, "nonsense"),
    ]

    answers = [without_request_id(call("GET", CURRENT, key=key)) for key in sent]

    assert answers[0][0] == 401
    assert answers == answers[:1] * len(sent)


@pytest.mark.parametrize("sent", [None, "", "nonsense", "sig_live_" + "a" * 40])
def test_what_costs_no_query_does_not_count(
    call: ApiClient, reader: Issued, sent: str | None
) -> None:
    for _ in range(MOST * 3):
        assert call("GET", CURRENT, key=sent).status == 401

    assert call("GET", CURRENT, key=reader).status == 200


def test_refused_keys_that_exist_do_not_count(
    call: ApiClient, reader: Issued, as_admin: Actor
) -> None:
    disabled = reader
    services.set_api_key_enabled(disabled.key, enabled=False, actor=as_admin)

    assert [call("GET", CURRENT, key=disabled).status for _ in range(MOST * 2)] == [401] * MOST * 2
    assert _guess(call, 1) == [401]


def test_after_the_window_it_counts_anew(
    call: ApiClient, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guess_limit, "_WINDOW", 0.5)
    _guess(call)
    time.sleep(0.5)

    assert _guess(call, 1) == [401]


def test_a_network_of_ipv6_is_one_address(call: ApiClient, db: None) -> None:
    for number in range(MOST):
        _from(call, f"2001:db8:1:2::{number}")
        assert _guess(call, 1) == [401]

    _from(call, "2001:db8:1:2:ffff::1")
    assert _guess(call, SPARE + 1) == [*[401] * SPARE, 429]
    _from(call, "2001:db8:1:3::1")
    assert _guess(call, 1) == [401]


def test_it_can_be_switched_off(call: ApiClient, db: None, settings: Settings) -> None:
    settings.INVALID_KEYS_PER_MINUTE = 0

    assert _guess(call, 20) == [401] * 20


def test_the_log_says_it_once(call: ApiClient, db: None, lines: Lines) -> None:
    _guess(call, MOST + 5)

    said = [line for line in lines() if line["event"] == "keys_guessed"]
    assert [(line["source"], line["failures"]) for line in said] == [("127.0.0.1", MOST)]


def test_every_format_says_it_in_its_shape(call: ApiClient, acme: Organization) -> None:
    _guess(call, MOST + SPARE)

    for path in (*(dialect.keys(acme) for dialect in DIALECTS), templates(acme)):
        answer = call("GET", path, key=_made_up())
        assert answer.status == 429
        assert "invalid API keys" in answer.refusal.message
