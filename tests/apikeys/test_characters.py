"""Characters are counted and cut as users see them."""

import pytest

from apikeys.pages.key_test import characters
from tests.support.texts_of_characters import SAMPLES


@pytest.mark.parametrize(("text", "number"), SAMPLES)
def test_they_are_counted_as_people_count(text: str, number: int) -> None:
    assert characters.count(text) == number


@pytest.mark.parametrize(("text", "number"), SAMPLES)
def test_none_is_cut_through(text: str, number: int) -> None:
    parts = [characters.first(text, most) for most in range(number + 2)]

    assert [characters.count(part) for part in parts] == [*range(number + 1), number]
    assert parts[-1] == text


def test_a_long_run_is_walked_through_once() -> None:
    """Each place is looked at a bounded number of times, whatever hangs on one letter."""
    looks = 0

    class Counted(str):
        def __getitem__(self, place: object) -> str:
            nonlocal looks
            looks += 1
            return super().__getitem__(place)  # type: ignore[index]

    for run in ("e" + "\u0301" * 5000, "क्" * 2500, "🇩" * 5000, "👩\u200d" * 2500, "\u200d" * 5000):
        looks = 0
        characters.count(Counted(run))
        assert looks < 8 * len(run)
