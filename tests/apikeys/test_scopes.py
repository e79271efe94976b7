"""Scopes: what they match and how they are checked."""

import pytest

from apikeys.scopes import DEFAULT_SCOPES, clean_scopes, default_scopes
from core.exceptions import ErrorCode, Invalid
from organizations.roles import MANAGE_KEYS_SCOPE


def test_scopes_are_kept_in_the_order_given() -> None:
    given = ["search:read", "events:read", "api-keys:manage"]

    assert clean_scopes(given, DEFAULT_SCOPES) == given


@pytest.mark.parametrize("given", [None, [], "search:read", {}, {"search:read": True}, 1, ()])
def test_anything_but_a_list_of_scopes_is_refused(given: object) -> None:
    """AB15: nothing never means everything."""
    with pytest.raises(Invalid) as refusal:
        clean_scopes(given, DEFAULT_SCOPES)

    assert refusal.value.problems[0].field == "scopes"
    assert refusal.value.problems[0].code == ErrorCode.REQUIRED


@pytest.mark.parametrize(
    "scope",
    [
        "search",
        "search:read2",
        "search:read ",
        " search:read",
        "Search:Read",
        "search:*",
        "*",
        "",
        "search:read\n",
        "search:read,events:read",
        "manage keys",
        None,
        1,
        True,
        ["search:read"],
        {"search:read": 1},
    ],
)
def test_a_scope_matches_exactly_or_not_at_all(scope: object) -> None:
    """AB14."""
    with pytest.raises(Invalid, match="Available scopes: trademarks:read") as refusal:
        clean_scopes(["events:read", scope], DEFAULT_SCOPES)

    assert refusal.value.problems[0].field == "scopes.1"


def test_a_scope_given_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="search:read is given twice") as refusal:
        clean_scopes(["search:read", "events:read", "search:read"], DEFAULT_SCOPES)

    assert refusal.value.problems[0].field == "scopes.2"


def test_what_is_returned_is_not_the_callers_list() -> None:
    given = ["search:read"]

    cleaned = clean_scopes(given, DEFAULT_SCOPES)
    given.append("api-keys:manage")

    assert cleaned == ["search:read"]


def test_whoever_may_hand_out_all_hands_out_all_but_managing_keys() -> None:
    assert default_scopes(DEFAULT_SCOPES, None) == [
        "trademarks:read",
        "search:read",
        "portfolios:manage",
        "events:read",
    ]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"events:read", MANAGE_KEYS_SCOPE, "search:read"}, ["search:read", "events:read"]),
        ({MANAGE_KEYS_SCOPE}, []),
        (set(), []),
        ({"gone:read"}, []),
    ],
)
def test_a_key_hands_out_what_it_holds_but_managing_keys(
    held: set[str], expected: list[str]
) -> None:
    assert default_scopes(DEFAULT_SCOPES, held) == expected
