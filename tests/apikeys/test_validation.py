"""Validation of a key's fields."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from apikeys.validation import (
    clean_expiry,
    clean_fields,
    clean_lifetime_days,
    clean_metadata,
)
from core.exceptions import ErrorCode, Invalid
from tests.support.domain import SECRET

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def frozen() -> Iterator[None]:
    """Noon."""
    with time_machine.travel(NOW, tick=False):
        yield


@given(JSON)
def test_metadata_is_kept_exactly_or_invalid_and_nothing_else(value: Any) -> None:
    try:
        cleaned = clean_metadata(value)
    except Invalid:
        return

    assert cleaned == value
    assert all(len(k) <= 40 and len(v) <= 500 for k, v in cleaned.items())
    assert all((k + v).encode().decode() == k + v for k, v in cleaned.items())


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"costCenter": "42", "cost_center": "43"},
        {"a": ""},
        {" padded ": "  kept  "},
        {"e\u0301": "e\u0301"},
        {"a.b": "c"},
        {"__proto__": "x", "constructor": "y"},
        {"note": "two\nlines\tand a tab"},
        {"k" * 40: "v" * 500},
        {"k" * 39 + "é": "v" * 499 + "🚀"},
        {str(n): "x" for n in range(50)},
    ],
)
def test_metadata_within_the_limits_is_left_as_it_is(value: dict[str, str]) -> None:
    assert clean_metadata(value) == value


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "metadata"),
        ([], "metadata"),
        ([["a", "b"]], "metadata"),
        ("", "metadata"),
        (0, "metadata"),
        ({str(n): "x" for n in range(51)}, "metadata"),
        ({"": "x"}, "metadata"),
        ({"  ": "x"}, "metadata"),
        ({"k" * 41: "x"}, "metadata"),
        ({"k" + " " * 40: "x"}, "metadata"),
        ({"e\u0301" * 21: "x"}, "metadata"),
        ({"k\x00": "x"}, "metadata"),
        ({"k\u202e": "x"}, "metadata"),
        ({"k\ud800": "x"}, "metadata"),
        ({SECRET: "x"}, "metadata"),
        ({"a": "v" * 501}, "metadata.a"),
        ({"a": "v" + " " * 500}, "metadata.a"),
        ({"a": "e\u0301" * 251}, "metadata.a"),
        ({"a": "\x00"}, "metadata.a"),
        ({"a": "\ud800"}, "metadata.a"),
        ({"a": "\u2066"}, "metadata.a"),
        ({"a": None}, "metadata.a"),
        ({"a": 1}, "metadata.a"),
        ({"a": 10**4000}, "metadata.a"),
        ({"a": float("nan")}, "metadata.a"),
        ({"a": True}, "metadata.a"),
        ({"a": ["b"]}, "metadata.a"),
        ({"a": {"b": "c"}}, "metadata.a"),
    ],
)
def test_other_metadata_is_refused_with_its_field(value: object, field: str) -> None:
    """AB49."""
    with pytest.raises(Invalid) as refusal:
        clean_metadata(value)

    assert refusal.value.problems[0].field == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": f"key {SECRET}"}, "name"),
        ({"description": f"was\n{SECRET}"}, "description"),
        ({"metadata": {"note": SECRET}}, "metadata.note"),
        ({"metadata": {SECRET: "note"}}, "metadata"),
    ],
)
def test_a_whole_key_is_kept_out_of_every_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        clean_fields(given)

    (problem,) = refusal.value.problems
    assert (problem.field, problem.code) == (field, ErrorCode.CONTAINS_SECRET)
    assert SECRET not in problem.message


def test_every_problem_is_told_at_once() -> None:
    given = {"name": "", "scopes": [], "metadata": {"a": 1}, "description": "fine"}

    with pytest.raises(Invalid) as refusal:
        clean_fields(given)

    fields = [problem.field for problem in refusal.value.problems]
    assert fields == ["name", "scopes", "metadata.a"]
    assert refusal.value.message == refusal.value.problems[0].message


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    "ahead",
    [
        timedelta(seconds=60, microseconds=1),
        timedelta(days=1),
        timedelta(days=3653),
        NOW.replace(year=2036) - NOW,
    ],
)
def test_an_end_between_a_minute_and_ten_years_ahead_is_kept(ahead: timedelta) -> None:
    assert clean_expiry(NOW + ahead) == NOW + ahead


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    "moment",
    [
        NOW - timedelta(days=1),
        NOW,
        NOW + timedelta(seconds=60),
        NOW + timedelta(days=3653, microseconds=1),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_any_other_end_is_refused(moment: datetime) -> None:
    with pytest.raises(Invalid) as refusal:
        clean_expiry(moment)

    assert refusal.value.problems[0].field == "expires_at"


def test_no_end_is_an_end_too() -> None:
    assert clean_expiry(None) is None


@pytest.mark.parametrize("days", [None, 1, 3650])
def test_a_lifetime_is_a_day_to_ten_years_or_none(days: int | None) -> None:
    assert clean_lifetime_days(days) == days


@pytest.mark.parametrize("days", [0, -1, 3651, 10**9])
def test_any_other_lifetime_is_refused(days: int) -> None:
    with pytest.raises(Invalid) as refusal:
        clean_lifetime_days(days)

    assert refusal.value.problems[0].field == "lifetime_days"
