"""Redaction of secrets in text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys import tokens
from apikeys.tokens import Environment
from core.redaction import first_line, holds_secret, redact
from tests.support.domain import SECRET

TAIL = SECRET[-36:]


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "Bearer {}",
        '{{"key": "{}"}}',
        "Bearer%20{}",
        "key%3D{}&x=1",
        "line\\n{}",
        "1{}",
        "Key{}",
        "{}.",
        "{0}{0}",
        "é{}é",
    ],
)
def test_a_secret_is_cut_and_noticed_wherever_it_stands(around: str) -> None:
    text = around.format(SECRET)

    assert TAIL not in redact(text)
    assert holds_secret(text)


@pytest.mark.parametrize("brand", ["sk", "a", "a123456789abcdef"])
@pytest.mark.parametrize("environment", Environment)
def test_secrets_of_every_brand_are_cut(brand: str, environment: Environment) -> None:
    secret = tokens.generate(brand, environment)

    assert redact(secret) == tokens.displayed_prefix(secret) + "[redacted]"
    assert holds_secret(secret)


def test_the_displayed_prefix_stays_readable() -> None:
    assert redact(f"key {SECRET} used") == f"key {tokens.displayed_prefix(SECRET)}[redacted] used"


@pytest.mark.parametrize("length", range(17, 49))
def test_a_truncated_secret_is_cut_as_well(length: int) -> None:
    assert redact(SECRET[:length]) == SECRET[:13] + "[redacted]"


@pytest.mark.parametrize(
    "text", ["", "sig_live_a1b2", "sig_live_a1b2…", "go_live_now", "a_test_case", "x" * 60]
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text
    assert not holds_secret(text)


@given(st.text(), st.text())
def test_whatever_stands_around_a_secret_its_tail_never_passes(before: str, after: str) -> None:
    assert TAIL not in redact(before + SECRET + after)
    assert holds_secret(before + SECRET + after)


@given(st.text())
def test_redacting_twice_is_redacting_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("cut", [1, 2, 6, 20])
def test_a_secret_without_its_end_is_one_all_the_same(cut: int) -> None:
    # Its last six characters are a checksum that anybody can work out.
    assert holds_secret(SECRET[:-cut])


def test_a_displayed_prefix_is_no_secret() -> None:
    assert not holds_secret(f"The key {SECRET[:13]}…")


@pytest.mark.parametrize(
    "start",
    [
        "/invitations/",
        "/accounts/confirm-email/",
        "/accounts/password/reset/key/",
        "/accounts/notifications/off/",
    ],
)
def test_what_opens_something_in_the_link_of_a_mail_is_cut(start: str) -> None:
    line = f'"GET https://api.example.com{start}inv_1.n-Z:2=/?next=/ HTTP/1.1" 403'

    assert redact(line) == f'"GET https://api.example.com{start}[redacted]/?next=/ HTTP/1.1" 403'
    assert redact(f"{start} {start[1:]}") == f"{start} {start[1:]}"


def test_only_the_first_line_of_an_error_is_kept() -> None:
    error = ValueError(f"duplicate key value\nDETAIL:  Key (digest)=({SECRET}) already exists.")

    assert first_line(error) == "duplicate key value"
    assert first_line(ValueError("away")) == "away"
