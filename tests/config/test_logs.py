"""Log lines are JSON and contain no secrets."""

import io
import json
import logging
from typing import Any

import pytest
import structlog

from apikeys import tokens
from config.logs import ConsoleHandler
from tests.support.client import ApiClient
from tests.support.logs import Lines

BODY = "sig_live_" + "0aB1" + "c2De3F" * 5
SECRET = BODY + tokens.checksum(BODY)
SHOWN = tokens.displayed_prefix(SECRET)


def test_a_line_is_one_json_object_with_time_level_and_logger(lines: Lines) -> None:
    structlog.get_logger("tests").warning("said", count=3, nothing=None, text="two\nlines")

    (line,) = lines()
    assert line["event"] == "said"
    assert (line["level"], line["logger"]) == ("warning", "tests")
    assert (line["count"], line["nothing"], line["text"]) == (3, None, "two\nlines")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"Bearer {SECRET}",
        SECRET[:-3],
        {"headers": {"Authorization": [f"Bearer {SECRET}"]}},
        {SECRET: 1},
        [(SECRET,), {"deep": ({"deeper": SECRET},)}],
        ValueError(SECRET),
        SECRET.encode(),
        {SECRET},
    ],
)
def test_secrets_are_cut_however_deep(value: object, lines: Lines) -> None:
    structlog.get_logger("tests").warning("said", value=value)

    (line,) = lines()
    assert f"{SHOWN}[redacted]" in json.dumps(line)
    assert SECRET[len(SHOWN) : -3] not in json.dumps(line)


def test_secrets_are_cut_in_the_standard_librarys_messages_too(lines: Lines) -> None:
    logging.getLogger("elsewhere").error("Could not use %s here", SECRET)

    assert [line["event"] for line in lines()] == [f"Could not use {SHOWN}[redacted] here"]


def test_secrets_are_cut_in_tracebacks(lines: Lines) -> None:
    try:
        raise ValueError(f"cannot take {SECRET}")
    except ValueError:
        logging.getLogger("elsewhere").exception("Failed")

    (line,) = lines()
    assert "Traceback" in line["exception"]
    assert f"cannot take {SHOWN}[redacted]" in line["exception"]
    assert SECRET not in json.dumps(line)


def test_secrets_are_cut_in_stacks_too(lines: Lines) -> None:
    logging.getLogger("elsewhere").warning("Stack of %s", SECRET, stack_info=True)

    (line,) = lines()
    assert "Stack (most recent call last)" in line["stack_info"]
    assert SECRET not in json.dumps(line)


class Unspeakable:
    def __str__(self) -> str:
        raise ValueError(SECRET)


@pytest.mark.parametrize("arguments", [("%d", SECRET), ("%s %s", SECRET), ("%s", Unspeakable())])
def test_a_line_that_cannot_be_made_tells_only_where_it_comes_from(
    arguments: tuple[Any, ...],
) -> None:
    (console,) = (h for h in logging.getLogger().handlers if isinstance(h, ConsoleHandler))
    said, before = io.StringIO(), console.stream
    console.setStream(said)
    try:
        record = logging.LogRecord("odd", 30, __file__, 7, arguments[0], arguments[1:], None)
        console.handle(record)
    finally:
        console.setStream(before)

    line = json.loads(said.getvalue())
    assert (line["event"], line["logger"]) == ("line_not_logged", "odd")
    assert line["file"] == "test_logs.py:7"
    assert line["reason"] in ("TypeError", "ValueError")
    assert SECRET[len(SHOWN) :] not in said.getvalue()


@pytest.mark.django_db
def test_a_request_leaves_one_line_without_query_headers_and_body(
    lines: Lines, call: ApiClient
) -> None:
    answer = call("GET", "/v1/api-keys/current", key=SECRET, query={"token": "in-the-query"})

    (line,) = [line for line in lines() if line["event"] == "request"]
    expected = {"method": "GET", "path": "/v1/api-keys/current", "status": 401, "ip": "127.0.0.1"}
    assert expected.items() <= line.items()
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "in-the-query" not in json.dumps(lines())
    assert SECRET not in json.dumps(lines())
