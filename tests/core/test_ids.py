"""Public IDs and base 62."""

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import ids

HIGHEST = (1 << 128) - 1


@given(st.uuids())
@example(uuid.UUID(int=0))
@example(uuid.UUID(int=HIGHEST))
def test_both_forms_of_an_id_are_read_back(value: uuid.UUID) -> None:
    public = ids.public_id("key", value)

    assert len(public) == len("key_") + 22
    assert ids.read_id("key", public) == value
    assert ids.read_id("key", str(value)) == value


@given(st.text(max_size=40))
@example("key_" + "é" * 22)
def test_any_other_text_is_no_id_and_no_error(text: str) -> None:
    value = ids.read_id("key", text)

    assert value is None or text in (ids.public_id("key", value), str(value))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda public: public[:-1],
        lambda public: public + "0",
        lambda public: " " + public[1:],
        lambda public: public + "\n",
        lambda public: public.upper(),
        lambda public: public.replace("key_", "Key_"),
        lambda public: public.replace("key_", "org_"),
        lambda public: public.replace("_", ""),
        lambda public: public.replace("_", "__"),
        lambda public: public[:-1] + "-",
        lambda public: public[:-1] + "١",
        lambda public: public[:-1] + "\x00",
        lambda _: "key_" + "z" * 22,
        lambda _: "key_",
        lambda _: "",
    ],
)
def test_a_public_id_has_one_spelling(spoil: "object") -> None:
    public = ids.public_id("key", ids.new_id())

    assert ids.read_id("key", spoil(public)) is None  # type: ignore[operator]


@pytest.mark.parametrize(
    "spelling",
    [
        "0192F0C1-2D3E-7ABC-8DEF-0123456789AB",
        "0192f0c1-2d3e-7abc-8def-0123456789aB",
        "0192f0c12d3e7abc8def0123456789ab",
        "{0192f0c1-2d3e-7abc-8def-0123456789ab}",
        "urn:uuid:0192f0c1-2d3e-7abc-8def-0123456789ab",
        "0192f0c1-2d3e-7abc-8def-0123456789a\u0661",
        "0192f0c12d3e7abc8def0123456789ab----",
        "----0192f0c12d3e7abc8def0123456789ab",
        "0192f0c1-2d3e-7abc-8def-0123456789ag",
    ],
)
def test_a_uuid_has_one_spelling(spelling: str) -> None:
    """AB08: no second address for the same object."""
    assert ids.read_id("key", spelling) is None


def test_the_first_number_too_large_for_a_uuid_is_no_id() -> None:
    assert ids.read_id("key", "key_" + ids.base62(HIGHEST, 22)) == uuid.UUID(int=HIGHEST)
    assert ids.read_id("key", "key_" + ids.base62(HIGHEST + 1, 22)) is None


def test_ids_sort_by_the_moment_they_were_made() -> None:
    made = [ids.new_id() for _ in range(1000)]

    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert {value.version for value in made} == {7}


def test_base_62_fills_up_with_zeros() -> None:
    assert ids.base62(61 * 62 + 10, 4) == "00zA"
