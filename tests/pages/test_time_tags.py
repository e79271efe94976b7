"""The tags that write times: in UTC, with the moment as title, and what the script may change."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import pytest
import time_machine

from organizations.templatetags.page_tags import ago, codes, fact, moment

NOW: Final = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
_STAMPED: Final = 'datetime="2026-11-30T14:05:00Z" title="30 Nov 2026, 14:05 UTC"'


def test_a_day_has_its_moment_as_title() -> None:
    assert moment(NOW) == f'<time {_STAMPED} data-time="day">30 Nov 2026</time>'


def test_a_moment_in_full_names_its_zone() -> None:
    assert (
        moment(NOW, full=True) == f'<time {_STAMPED} data-time="full">30 Nov 2026, 14:05 UTC</time>'
    )
    assert fact(NOW) == moment(NOW, full=True)


def test_an_hour_names_its_end() -> None:
    late = NOW.replace(hour=23, minute=0)

    assert ">30 Nov 2026, 23:00–00:00 UTC<" in moment(late, hour=True)


def test_permissions_in_sentences_are_code_and_the_rest_is_escaped() -> None:
    assert codes("added <b> keys:read, api-keys:manage") == (
        'added &lt;b&gt; <code class="nowrap">keys:read</code>, '
        '<code class="nowrap">api-keys:manage</code>'
    )
    assert codes("renamed to “a:b” at 14:05") == "renamed to “a:b” at 14:05"


def test_other_zones_are_written_in_utc() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))

    assert tokyo.hour == 23
    assert moment(tokyo, full=True) == moment(NOW, full=True)


def test_days_and_what_is_about_utc_stay_as_they_are() -> None:
    midnight = NOW.replace(hour=0, minute=0)

    assert "data-time" not in moment(midnight)
    assert 'data-time="full"' in moment(midnight, full=True)
    assert "data-time" not in moment(NOW, in_utc=True)
    assert "data-time" not in moment(NOW, full=True, in_utc=True)


def test_a_moment_of_the_next_days_needs_no_year() -> None:
    assert moment(NOW, short=True) == f'<time {_STAMPED} data-time="short">30 Nov, 14:05</time>'


def test_nothing_is_written_as_nothing() -> None:
    assert moment(None) == ""


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (timedelta(0), "just now"),
        (timedelta(minutes=3), "3\xa0minutes ago"),
        (timedelta(days=2), "2\xa0days ago"),
        (-timedelta(seconds=30), "in less than a minute"),
        (-timedelta(hours=2), "in 2\xa0hours"),
    ],
)
def test_a_distance_has_its_moment_as_title(before: timedelta, told: str) -> None:
    with time_machine.travel(NOW + before, tick=False):
        capital = told[0].upper() + told[1:]
        assert f">{capital}</time>" in ago(NOW, capital=True)
        assert ago(NOW) == f'<time {_STAMPED} data-time="ago">{told}</time>'
