"""Connections to a server that takes no writes, such as a former primary after a failover.

It answers reads, so its connections would be kept. Each one that was opened before the process
found out is given up after its request, until a new connection leads to a server that writes.
"""

import math
import time


class _Process:
    found_at = -math.inf


def note() -> None:
    """A server has refused a write because it takes none."""
    _Process.found_at = time.monotonic()


def is_suspect(opened_at: float) -> bool:
    """Whether a connection that was opened then may lead to such a server."""
    return opened_at <= _Process.found_at
