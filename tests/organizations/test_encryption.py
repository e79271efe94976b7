"""TOTP secrets are encrypted with SECRET_KEY and can be decrypted with its fallbacks."""

import pytest
from pytest_django import Settings

from organizations.signin.encryption import Unreadable, reseal, seal, unseal, with_seeds

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
FRESH = 10 * "fresh-"


def test_what_is_sealed_is_read_again_and_does_not_show() -> None:
    sealed = seal(SEED)

    assert SEED not in sealed
    assert unseal(sealed) == SEED


def test_the_same_seed_looks_different_each_time() -> None:
    assert seal(SEED) != seal(SEED)


def test_a_seed_from_before_is_read_as_it_is() -> None:
    assert unseal(SEED) == SEED


@pytest.mark.parametrize("place", [3, 20, -4])
def test_a_changed_text_is_not_read(place: int) -> None:
    sealed = list(seal(SEED))
    sealed[place] = "A" if sealed[place] != "A" else "B"

    with pytest.raises(Unreadable):
        unseal("".join(sealed))


def test_nothing_else_that_the_key_signs_is_taken_for_a_seed() -> None:
    with pytest.raises(Unreadable):
        unseal("v1:" + "A" * 120)


def test_a_fallback_opens_and_nothing_else_does(settings: Settings) -> None:
    before, sealed = settings.SECRET_KEY, seal(SEED)
    settings.SECRET_KEY = FRESH

    with pytest.raises(Unreadable):
        unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = ["another-" * 9, before]
    assert unseal(sealed) == SEED


def test_resealing_moves_to_the_newest_key_and_only_once(settings: Settings) -> None:
    before, old = settings.SECRET_KEY, seal(SEED)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = FRESH, [before]

    moved = reseal(old)
    settings.SECRET_KEY_FALLBACKS = []

    assert unseal(moved) == SEED
    assert reseal(moved) == moved
    assert unseal(reseal(SEED)) == SEED
    with pytest.raises(Unreadable):
        reseal(old)


def test_only_seeds_are_changed() -> None:
    assert with_seeds({"seed": "a", "used_mask": 3}, str.upper) == {"seed": "A", "used_mask": 3}
    assert with_seeds({"secret": "a"}, str.upper) == {"secret": "A"}
    assert with_seeds({"name": "a", "credential": {}}, str.upper) == {"name": "a", "credential": {}}
