"""Granian workers stop by SIGTERM only, which granian's main process sends.

Ctrl-C in a terminal signals every process, and the main process then signals its workers. A server
thread could take both pending signals while Python's main thread kept sleeping: the worker hung
until it was killed and lost its last usage counts.
"""

import multiprocessing
import signal
from typing import Final

#: Process name of workers in granian 2.8.
_WORKER: Final = "granian-worker"


def heed_main_process() -> None:
    """Call in a worker before any thread starts. Does nothing in other processes."""
    if multiprocessing.current_process().name != _WORKER:
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # threads inherit this
    # Until granian sets its own: the handler inherited from the main process does nothing here.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
