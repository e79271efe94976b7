"""Cleaning and validation of names and texts."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apikeys import tokens
from core.exceptions import ErrorCode, Invalid
from core.text import clean_name, clean_text, name_key, require_text
from tests.support.domain import SECRET

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=120)
UNPRINTABLE = [
    "\x00",
    "\x07",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u2028",
    "\u2029",
    "\ud800",
    "\udfff",
    "\u061c",
    "\u200e",
    "\u200f",
    "\u202a",
    "\u202e",
    "\u2066",
    "\u2069",
]
UNSEEN = [
    "",
    "   ",
    "\u00a0",
    "\u200b",
    "\u200d\u200d",
    "\ufeff",
    "\u2060",
    "\u00ad",
    "\u0301",
    "\ufe0f",
    "\u20dd",
    "\u3000\u3000",
    "\u3164",
    "\uffa0",
    "\u115f\u1160",
    "\u2800",
    "\U000e0041",
]


def _cleaned(clean: Callable[[str], str], value: str) -> str | None:
    """The cleaned value, None where it is Invalid; any other exception fails the test."""
    try:
        return clean(value)
    except Invalid:
        return None


@given(ANY_TEXT)
@example("\u0958" * 100)
def test_a_name_is_clean_or_invalid_and_nothing_else(value: str) -> None:
    name = _cleaned(clean_name, value)

    if name is None:
        return
    assert 1 <= len(name) <= 100
    assert name == name.strip() == unicodedata.normalize("NFC", name)
    assert name.encode("utf-8").decode("utf-8") == name
    assert clean_name(name) == name


@given(ANY_TEXT)
def test_free_text_is_clean_or_invalid_and_nothing_else(value: str) -> None:
    text = _cleaned(lambda given: clean_text(given, "description"), value)

    if text is None:
        return
    assert len(text) <= 500
    assert clean_text(text, "description") == text
    assert "\x00" not in text.encode("utf-8").decode("utf-8")


@pytest.mark.parametrize("bad", UNPRINTABLE)
@pytest.mark.parametrize("place", ["{}name", "na{}me", "name{}"])
def test_control_and_direction_characters_are_refused_anywhere(bad: str, place: str) -> None:
    value = place.format(bad)

    with pytest.raises(Invalid, match="control or text-direction"):
        clean_name(value)
    with pytest.raises(Invalid, match="control or text-direction"):
        clean_text(value, "description")
    with pytest.raises(Invalid, match="control or text-direction"):
        require_text(value, "metadata")


@pytest.mark.parametrize("layout", ["\n", "\r\n", "\t"])
def test_only_free_text_may_have_lines(layout: str) -> None:
    assert clean_text(f"a{layout}b", "description") == f"a{layout}b"
    with pytest.raises(Invalid):
        clean_name(f"a{layout}b")


@pytest.mark.parametrize("unseen", UNSEEN)
def test_a_name_that_nobody_can_see_is_no_name(unseen: str) -> None:
    with pytest.raises(Invalid) as refusal:
        clean_name(unseen)

    assert refusal.value.problems[0].code == ErrorCode.REQUIRED


@pytest.mark.parametrize(
    "name",
    ["a", "0", "王", "🚀", "👩‍👩‍👧‍👧", "Ünïcode", "مفتاح", "<script>", "=1+1", "👍🏽"],
)
def test_other_names_are_kept_as_they_are(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize("character", ["a", "é", "🚀"])
def test_a_name_has_at_most_a_hundred_characters(character: str) -> None:
    assert len(clean_name(character * 100)) == 100
    with pytest.raises(Invalid, match="You have used 101"):
        clean_name(character * 101)


def test_white_space_around_a_name_does_not_count() -> None:
    assert clean_name(" \u3000" + "n" * 100 + "  ") == "n" * 100


def test_a_name_is_measured_after_it_is_composed() -> None:
    assert clean_name("e\u0301" * 100) == "é" * 100
    with pytest.raises(Invalid, match="You have used 101"):
        clean_name("\u0958" * 50 + "n")


def test_free_text_has_at_most_five_hundred_characters() -> None:
    assert clean_text(f"  {'n' * 500}  ", "description") == "n" * 500
    with pytest.raises(Invalid, match="You have used 501"):
        clean_text("n" * 501, "description")


def test_a_mountain_of_combining_marks_is_too_long() -> None:
    with pytest.raises(Invalid):
        clean_name("Z" + "\u0301" * 10_000)


@pytest.mark.parametrize("text", [SECRET, f"old: {SECRET}", f"url?key%3D{SECRET}", f"x{SECRET}y"])
def test_a_whole_key_is_refused_wherever_it_stands(text: str) -> None:
    with pytest.raises(Invalid) as in_name:
        clean_name(text)
    with pytest.raises(Invalid) as in_text:
        clean_text(text, "description")

    for refusal in (in_name.value, in_text.value):
        assert refusal.code is ErrorCode.CONTAINS_SECRET
        assert SECRET not in refusal.message


def test_the_displayed_prefix_of_a_key_may_be_written() -> None:
    prefix = tokens.displayed_prefix(SECRET)

    assert clean_name(f"{prefix}…") == f"{prefix}…"


def test_text_that_is_kept_as_given_is_measured_as_given() -> None:
    require_text(" " * 500, "metadata.note")

    with pytest.raises(Invalid, match="You have used 501"):
        require_text("n" + " " * 500, "metadata.note")
    with pytest.raises(Invalid, match="You have used 502"):
        require_text("e\u0301" * 251, "metadata.note")


@pytest.mark.parametrize(
    "variant", ["CAFÉ", "café", "cafe\u0301", "  Café ", "CAFE\u0301", "\u00a0café"]
)
def test_names_that_differ_in_case_composition_or_margin_are_one(variant: str) -> None:
    assert name_key(variant) == name_key("Café")


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ﬁle", "FILE")]
)
def test_names_are_folded_and_not_just_lowered(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a b", "ab"), ("é", "e"), ("i", "ı")])
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(ANY_TEXT)
def test_cleaning_a_name_never_changes_what_it_is_compared_by(value: str) -> None:
    name = _cleaned(clean_name, value)

    assert name is None or name_key(name) == name_key(value)


@pytest.mark.parametrize("name", ["C\u200bI", "C\u2060I", "CI\ufeff", "C\u00adI"])
def test_a_name_with_an_invisible_character_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="invisible"):
        clean_name(name)


@pytest.mark.parametrize("name", ["👩\u200d💻 laptop", "می\u200cخواهم"])
def test_joiners_that_words_and_emoji_need_are_kept(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(("marks", "is_good"), [(30, True), (31, False)])
def test_no_more_marks_are_stacked_than_in_stream_safe_text(marks: int, is_good: bool) -> None:
    text = "a" + "\u0316" * marks  # composes with no letter

    if is_good:
        assert clean_name(text) == text
    else:
        with pytest.raises(Invalid, match="accents"):
            clean_name(text)
