"""How a worker of granian ends: by SIGTERM alone, which granian's main process sends it.

Ctrl-C in a terminal signals every process of the server, and the main process its workers after
that. Of two different signals that are pending, a thread of the server may take both, and Python's
main thread then sleeps on: the worker hung until it was killed, and lost its last usage.
"""

import multiprocessing
import signal
from typing import Final

#: By which granian 2.8 names its workers.
_WORKER: Final = "granian-worker"


def heed_main_process() -> None:
    """Call in a worker before anything starts a thread; does nothing in another process."""
    if multiprocessing.current_process().name != _WORKER:
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which threads inherit
    # Until granian sets its handler: that of the fork is the main process's and stops nothing here.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
