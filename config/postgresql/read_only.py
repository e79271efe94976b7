"""Connections to a read-only server, such as a former primary after a failover.

Reads succeed there, so its connections would be kept. Each connection that was opened before the
process noticed is closed after its request, until a new one reaches a writable server.
"""

import math
import time


class _Process:
    found_at = -math.inf


def note() -> None:
    """Call when a server has rejected a write because it is read-only."""
    _Process.found_at = time.monotonic()


def is_suspect(opened_at: float) -> bool:
    """Whether a connection opened at that time may lead to a read-only server."""
    return opened_at <= _Process.found_at
