"""Cancels queries on the server after their client has given up, without waiting for it."""

import contextlib
import select
import threading
import time
from typing import Final

import psycopg
from psycopg import pq

#: Maximum number of threads that cancel queries. Other queries are left to `statement_timeout`.
_MOST: Final = 4
#: Timeout of a cancel request in seconds.
_SECONDS: Final = 2.0
_free: Final = threading.BoundedSemaphore(_MOST)
_ENDED: Final = (pq.PollingStatus.OK, pq.PollingStatus.FAILED)


def cancel_later(pgconn: "pq.abc.PGconn") -> None:
    """Cancels the connection's query in a thread. The connection may be closed meanwhile."""
    if pgconn.transaction_status != pq.TransactionStatus.ACTIVE:
        return
    if not _free.acquire(blocking=False):
        return
    try:
        request = pgconn.cancel_conn()
        threading.Thread(target=_cancel, args=[request], name="cancel", daemon=True).start()
    except (psycopg.Error, RuntimeError):  # libpq is older than 17, or no thread can be started
        _free.release()


def _cancel(request: "pq.abc.PGcancelConn") -> None:
    try:
        with contextlib.suppress(psycopg.Error):  # the server is gone, and so is the query
            _send(request, time.monotonic() + _SECONDS)
    finally:
        request.finish()
        _free.release()


def _send(request: "pq.abc.PGcancelConn", deadline: float) -> None:
    """Polls instead of calling PQcancelBlocking, which would hold the GIL."""
    request.start()
    while (status := request.poll()) not in _ENDED:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        poller = select.poll()
        wants_to_read = status == pq.PollingStatus.READING
        poller.register(request.socket, select.POLLIN if wants_to_read else select.POLLOUT)
        poller.poll(left * 1000)
