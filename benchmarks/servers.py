"""Runs granian as in production, but with one thread on one core. Measures CPU and memory.

Requires Linux for CPU affinity and /proc.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psycopg

from benchmarks.databases import KEPT, ROOT, Database, surroundings

_START_SECONDS: Final = 60
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server on a local port."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def workers(self) -> list[int]:
        """The IDs of its worker processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [pid for pid in map(int, children.read_text().split()) if _is_python(pid)]

    def cpu_seconds(self) -> float:
        """CPU time of the workers so far: user and system, all threads."""
        return sum(sum(map(int, _stat(pid)[11:13])) for pid in self.workers) / _TICKS

    def memory(self) -> int:
        """Resident memory of the workers in bytes."""
        return sum(int(_stat(pid)[21]) * _PAGE for pid in self.workers)

    def pin_workers(self, cores: Collection[int]) -> None:
        """Pins each worker with all of its threads to a different core."""
        for pid, core in zip(self.workers, cores, strict=True):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})

    def stop(self) -> None:
        """Stops the server and waits until it has exited."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_START_SECONDS)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the third on. The second can contain any character."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _is_python(pid: int) -> bool:
    """Whether it is a worker, not multiprocessing's helper process."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return b"resource_tracker" not in command


@contextmanager
def running(
    database: Database,
    environment: Mapping[str, str],
    *,
    core: int,
    workers: int = 1,
    threads: int = 1,
) -> Iterator[Server]:
    """A server on `database` and `core`, stopped at the end of the block."""
    port = _free_port()
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"server-{port}.log").open("w+b") as log:
        with pinned({core}):  # inherited by the server
            variables = {**environment, "DATABASE_URL": database.url}
            process = _start(port, workers, threads, log, variables)
        server = Server(port, process)
        try:
            _await(server, workers, log)
            yield server
        finally:
            server.stop()
    Path(log.name).unlink()


def _start(
    port: int, workers: int, threads: int, log: IO[Any], environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", str(workers)),
        *("--workers-kill-timeout", "5", "benchmarks.site.wsgi:application"),
    ]
    variables = surroundings(GRANIAN_BLOCKING_THREADS=str(threads), **environment)
    return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)


def _await(server: Server, workers: int, log: IO[Any]) -> None:
    """Waits until every worker has responded. Granian passes connections to a free worker."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        if len(server.workers) == workers and all(_answers(server.port) for _ in range(workers)):
            return
        time.sleep(0.05)
    log.seek(0)
    raise SystemExit(f"A server did not start:\n{log.read().decode(errors='replace')}")


def _answers(port: int) -> bool:
    request = b"GET /api/bench/django HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request)
            return connection.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


@contextmanager
def pinned(cores: set[int]) -> Iterator[None]:
    """Pins the calling thread to `cores` within the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pin_backends(database: Database, core: int) -> bool:
    """Moves PostgreSQL's processes for `database` off the server's core. Returns whether it could.

    Works only if PostgreSQL runs on this machine and this user has permission.
    """
    if database.vendor != "postgresql":
        return True
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    with psycopg.connect(database.url) as connection:
        pids = [pid for (pid,) in connection.execute(query)]
    try:
        for pid in pids:
            os.sched_setaffinity(pid, {core})
    except (PermissionError, ProcessLookupError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
