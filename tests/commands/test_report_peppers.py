"""manage.py report_peppers."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from apikeys import services
from apikeys.services import Issued
from apikeys.tokens import Peppers, read_peppers
from tests.factories import SYSTEM
from tests.support.client import ApiClient

NEW = f"2:{'b' * 32}"
CURRENT = "/v1/api-keys/current"


@pytest.fixture
def old(settings: Any) -> str:
    peppers: Peppers = settings.API_KEY_PEPPERS
    return f"1:{peppers.values[1].decode()}"


def _report() -> tuple[list[list[str]], str, str]:
    """The cells of the table, what is said below it, and the complaint."""
    output, complaint = StringIO(), ""
    try:
        call_command("report_peppers", stdout=output)
    except CommandError as error:
        complaint = str(error)
    lines = output.getvalue().splitlines()
    table = [line.split() for line in lines if line.lstrip()[:1].isdigit()]
    return table, "\n".join(lines[1 + len(table) :]), complaint


@pytest.mark.django_db
def test_without_a_key_the_newest_is_listed() -> None:
    table, advice, complaint = _report()

    assert table == [["1", "newest", "0", "0", "0", "never"]]
    assert (advice, complaint) == ("", "")


def test_it_counts_what_can_still_open_something(
    make_key: Callable[..., Issued], settings: Any, old: str, call: ApiClient
) -> None:
    now = timezone.now()
    for name in ("Used", "Revoked", "Rotated", "Overlaps", "Disabled", "Expired"):
        expires_at = now + timedelta(minutes=5) if name == "Expired" else None
        issued = make_key(name=name, expires_at=expires_at)
        if name == "Revoked":
            services.revoke_api_key(issued.key, actor=SYSTEM)
        if name in ("Rotated", "Overlaps"):
            grace = timedelta(hours=name == "Overlaps")
            services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=grace)
        if name == "Disabled":
            services.set_api_key_enabled(issued.key, enabled=False, actor=SYSTEM)
        if name == "Used":
            assert call("GET", CURRENT, key=issued).status == 200
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")

    with time_machine.travel(now + timedelta(minutes=6)):
        table, advice, complaint = _report()

    used = [f"{now:%Y-%m-%d}", table[1][6], "UTC"]
    assert table == [
        ["2", "newest", "0", "0", "0", "never"],
        ["1", "yes", "5", "4", "3", *used],
    ]
    assert "Keep pepper 1." in advice
    assert "next used: 5, never used so far: 4." in advice
    assert complaint == "Live secrets that are not under the newest pepper: 5."


def test_the_whole_way_from_one_pepper_to_the_next(
    manager: Issued, make_key: Callable[..., Issued], settings: Any, old: str, call: ApiClient
) -> None:
    services.revoke_api_key(make_key(name="Ended").key, actor=SYSTEM)
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")
    assert _report()[2]

    assert call("GET", CURRENT, key=manager).status == 200
    table, advice, complaint = _report()
    assert [row[:5] for row in table] == [
        ["2", "newest", "1", "0", "0"],
        ["1", "yes", "0", "0", "1"],
    ]
    assert "Pepper 1 can be taken out of API_KEY_PEPPERS." in advice
    assert "refused without the reason: 1." in advice
    assert complaint == ""

    settings.API_KEY_PEPPERS = read_peppers(NEW)
    assert call("GET", CURRENT, key=manager).status == 200
    table, advice, complaint = _report()
    assert [row[:2] for row in table] == [["2", "newest"], ["1", "no"]]
    assert advice == "Pepper 1 is gone, and no live secret needs it."
    assert complaint == ""


def test_a_pepper_that_went_too_early_is_missed(
    manager: Issued, settings: Any, call: ApiClient
) -> None:
    settings.API_KEY_PEPPERS = read_peppers(NEW)

    _, advice, complaint = _report()

    assert call("GET", CURRENT, key=manager).status == 401
    assert "Pepper 1 is not in API_KEY_PEPPERS." in advice
    assert "refused as unknown until it is there again: 1." in advice
    assert complaint == "Live secrets that are not under the newest pepper: 1."


def test_it_shows_neither_peppers_nor_digests(manager: Issued, settings: Any, old: str) -> None:
    settings.API_KEY_PEPPERS = read_peppers(f"{NEW},{old}")
    output = StringIO()

    with pytest.raises(CommandError) as complaint:
        call_command("report_peppers", stdout=output)

    shown = output.getvalue() + str(complaint.value)
    assert "b" * 32 not in shown
    assert old[2:] not in shown
    assert settings.API_KEY_PEPPERS.digest(manager.secret, 1).hex() not in shown
