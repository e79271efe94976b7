"""Cancels queries on the server whose client has given up, without waiting for it."""

import contextlib
import select
import threading
import time
from typing import Final

import psycopg
from psycopg import pq

#: Threads that cancel at a time. A query for which none is free is left to `statement_timeout`.
_MOST: Final = 4
#: Seconds after which a server that does not take a cancel request is left alone.
_SECONDS: Final = 2.0
_free: Final = threading.BoundedSemaphore(_MOST)
_ENDED: Final = (pq.PollingStatus.OK, pq.PollingStatus.FAILED)


def cancel_later(pgconn: "pq.abc.PGconn") -> None:
    """Has a thread cancel the connection's query; the connection may be closed meanwhile."""
    if pgconn.transaction_status != pq.TransactionStatus.ACTIVE:
        return
    if not _free.acquire(blocking=False):
        return
    try:
        request = pgconn.cancel_conn()
        threading.Thread(target=_cancel, args=[request], name="cancel", daemon=True).start()
    except (psycopg.Error, RuntimeError):  # a libpq before 17, or no more threads now
        _free.release()


def _cancel(request: "pq.abc.PGcancelConn") -> None:
    try:
        with contextlib.suppress(psycopg.Error):  # the server has gone, and the query with it
            _send(request, time.monotonic() + _SECONDS)
    finally:
        request.finish()
        _free.release()


def _send(request: "pq.abc.PGcancelConn", deadline: float) -> None:
    """Steps in PQcancelPoll's order, since PQcancelBlocking would hold the GIL."""
    request.start()
    while (status := request.poll()) not in _ENDED:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        poller = select.poll()
        wants_to_read = status == pq.PollingStatus.READING
        poller.register(request.socket, select.POLLIN if wants_to_read else select.POLLOUT)
        poller.poll(left * 1000)
