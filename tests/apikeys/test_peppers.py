"""AB80: used keys move to a new pepper one by one, and then the old pepper can be removed."""

from typing import Any

import pytest

from apikeys.models import ApiKeySecret
from apikeys.services import Issued
from apikeys.tokens import Peppers, read_peppers
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from tests.support.domain import ORIGIN
from tests.support.last_used import note_use

NEW = f"2:{'b' * 32}"


@pytest.fixture
def old(settings: Any) -> str:
    """The pepper of the test settings as the setting writes it."""
    peppers: Peppers = settings.API_KEY_PEPPERS
    return f"1:{peppers.values[1].decode()}"


def _use(issued: Issued) -> None:
    found = verify(issued.secret).found
    assert found
    note_use(found, issued.secret, ORIGIN)


def test_a_key_works_under_an_older_pepper(settings: Any, old: str, issued: Issued) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")

    outcome = verify(issued.secret)

    assert outcome.refusal is None
    assert outcome.found
    assert outcome.found.pepper == 1


def test_its_next_use_moves_it_to_the_newest(settings: Any, old: str, issued: Issued) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")

    _use(issued)

    secret = ApiKeySecret.objects.get()
    assert secret.pepper == 2
    assert bytes(secret.digest) == settings.API_KEY_PEPPERS.digest(issued.secret, 2)
    assert verify(issued.secret).refusal is None


def test_a_key_that_was_used_this_minute_moves_as_well(
    settings: Any, old: str, issued: Issued
) -> None:
    _use(issued)
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")

    _use(issued)

    assert ApiKeySecret.objects.get().pepper == 2


def test_a_key_that_has_moved_outlives_the_older_pepper(
    settings: Any, old: str, issued: Issued
) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")
    _use(issued)

    settings.API_KEY_PEPPERS = read_peppers(NEW)

    assert verify(issued.secret).refusal is None


def test_a_key_that_has_not_moved_goes_with_its_pepper(settings: Any, issued: Issued) -> None:
    settings.API_KEY_PEPPERS = read_peppers(NEW)

    assert verify(issued.secret).refusal is Refusal.UNKNOWN


def test_a_number_alone_is_no_pepper(settings: Any, issued: Issued) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"1:{'c' * 32}")

    assert verify(issued.secret).refusal is Refusal.UNKNOWN


def test_going_back_to_the_older_pepper_moves_keys_back(
    settings: Any, old: str, issued: Issued
) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")
    _use(issued)
    settings.API_KEY_PEPPERS = read_peppers(f"{old},{NEW}")

    _use(issued)

    assert ApiKeySecret.objects.get().pepper == 1
    assert verify(issued.secret).refusal is None


def test_a_worker_that_read_the_row_before_the_move_does_not_spoil_it(
    settings: Any, old: str, issued: Issued
) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")
    stale = verify(issued.secret).found
    assert stale
    _use(issued)

    note_use(stale, issued.secret, ORIGIN)

    assert ApiKeySecret.objects.get().pepper == 2
    assert verify(issued.secret).refusal is None
