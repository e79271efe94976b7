"""AB54: only RFC 3339 timestamps with an offset are accepted. They are converted to UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys.validation import read_timestamp
from core.exceptions import Invalid
from core.timestamps import rfc3339

NOON = datetime(2027, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-31T12:00:00Z", NOON),
        ("2027-01-31t12:00:00z", NOON),
        ("2027-01-31T12:00:00+00:00", NOON),
        ("2027-01-31T12:00:00-00:00", NOON),
        ("2027-02-01T02:00:00+14:00", NOON),
        ("2027-01-31T00:00:00-12:00", NOON),
        ("2027-01-31T17:45:00+05:45", NOON),
        ("2027-01-31T12:00:00.5Z", NOON + timedelta(seconds=0.5)),
        ("2027-01-31T12:00:00.000001Z", NOON + timedelta(microseconds=1)),
        ("2027-01-31T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2028-02-29T00:00:00Z", datetime(2028, 2, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_date_time_with_an_offset_is_read_into_utc(text: str, expected: datetime) -> None:
    moment = read_timestamp(text)

    assert moment == expected
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2027-01-31",
        "2027-01-31T12:00:00",
        "2027-01-31T12:00Z",
        "2027-01-31 12:00:00Z",
        "20270131T120000Z",
        "2027-W05-7T12:00:00Z",
        "2027-01-31T12:00:00.Z",
        "2027-01-31T12:00:00,5Z",
        "2027-01-31T12:00:00.1234567891Z",
        "2027-01-31T12:00:00 Z",
        "2027-01-31T12:00:00Z ",
        " 2027-01-31T12:00:00Z",
        "2027-01-31T12:00:00Z\n",
        "2027-01-31T12:00:00+0100",
        "2027-01-31T12:00:00+01",
        "2027-01-31T12:00:00+05:60",
        "2027-01-31T12:00:00+05:99",
        "2027-01-31T12:00:00+24:00",
        "2027-01-31T12:00:00+99:00",
        "2027-01-31T12:00:00Z+01:00",
        "2027-01-31T12:00:00−01:00",
        "2027-13-01T12:00:00Z",
        "2027-02-29T12:00:00Z",
        "2027-01-31T24:00:00Z",
        "2027-01-31T12:60:00Z",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "10000-01-01T00:00:00Z",
        "-2027-01-31T12:00:00Z",
        "٢٠٢٧-٠١-٣١T١٢:٠٠:٠٠Z",
        "２０２７-01-31T12:00:00Z",
        "1801396800",
        "2027-01-31T12:00:00Z\x00",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match="2027-01-31T12:00:00Z") as refusal:
        read_timestamp(text, "until")

    assert refusal.value.problems[0].field == "until"


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=st.builds(timezone, st.integers(-1439, 1439).map(lambda n: timedelta(minutes=n))),
    )
)
def test_every_moment_is_read_back(moment: datetime) -> None:
    assert read_timestamp(moment.isoformat()) == moment


@given(st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d.{0,8}"))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    try:
        moment = read_timestamp(text)
    except Invalid:
        return

    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2027-01-31T12:00:00Z"),
        (NOON + timedelta(microseconds=999_999), "2027-01-31T12:00:00Z"),
        (NOON.astimezone(timezone(timedelta(hours=5, minutes=45))), "2027-01-31T12:00:00Z"),
    ],
)
def test_output_is_in_utc_and_to_the_second(moment: datetime, text: str) -> None:
    assert rfc3339(moment) == text
    assert read_timestamp(text) == moment.replace(microsecond=0)
