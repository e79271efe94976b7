"""Captures the application's log."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def captured() -> Iterator[Lines]:
    """What the configured formatter writes for every logger meanwhile."""
    options = dict(settings.LOGGING["formatters"]["json"])
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(options.pop("()")(**options))
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)
