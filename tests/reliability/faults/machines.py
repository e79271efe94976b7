"""Servers that only one test uses, and that it may stop and freeze."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from tests.reliability.live.conftest import free_port

_SECONDS: Final = 30


class Machine(ABC):
    """A server process that can be started, stopped, frozen and thawed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._user: str | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts the server in the foreground."""

    def start(self) -> None:
        """Starts it, on the same port as before, and returns when it listens."""
        with (self.folder / "machine.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, user=self._user, cwd=self.folder.root
            )
        deadline = time.monotonic() + _SECONDS
        while not self._listens():
            assert time.monotonic() < deadline, (self.folder / "machine.log").read_text()
            time.sleep(0.02)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Ends it at once; connections to it are cut off, and its port refuses new ones."""
        if self._process:
            self.thaw()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_SECONDS)
            self._process = None

    def freeze(self) -> None:
        """Lets it hold every connection and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen one go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for pid in [self._process.pid, *map(int, children.read_text().split())]:
            os.kill(pid, number)


class Store(Machine):
    """Redis, which keeps nothing on disk."""

    def command(self) -> list[str]:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        assert found
        return [found, "--port", str(self.port), "--save", "", "--dir", str(self.folder)]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


class Database(Machine):
    """PostgreSQL with a cluster of its own. It does not run as root, so root lends it a user."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._user = "postgres" if os.geteuid() == 0 else None
        self._data = Path(tempfile.mkdtemp(prefix="latchkey-"))
        if self._user:
            shutil.chown(self._data, self._user)
        options = ["--username", "latchkey", "--auth", "trust", "--no-sync", "--encoding", "UTF8"]
        self._run([f"{programs()}/initdb", "--pgdata", str(self._data), *options])

    def _run(self, command: list[str]) -> None:
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd="/")

    def command(self) -> list[str]:
        where = ["-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        return [f"{programs()}/postgres", *where, "-c", "fsync=off"]

    @property
    def url(self) -> str:
        return f"postgres://latchkey@127.0.0.1:{self.port}/postgres"

    def remove(self) -> None:
        """Stops it and deletes what it kept."""
        self.stop()
        shutil.rmtree(self._data)


def programs() -> Path | None:
    """Where PostgreSQL's own programs are; Debian keeps them off PATH."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).parent if found else debian[-1].parent if debian else None
