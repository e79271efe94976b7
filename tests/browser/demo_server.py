"""A demo in a temporary folder, for pictures of it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

_ATTEMPTS: Final = 600


@dataclass(frozen=True)
class Demo:
    """A running demo: its URL, password, and what it has printed."""

    address: str
    password: str
    log: Path

    @property
    def secret(self) -> str:
        """The secret of Production, as printed at the first start."""
        return self._last(r"export KEY=(\S+)")

    def _last(self, pattern: str, flags: int = 0) -> str:
        # Emails appear there as well. Their long lines end in “=”.
        text = self.log.read_text().replace("=\n", "").replace("=3D", "=")
        found = re.findall(pattern, text, flags)
        if not found:
            raise LookupError(pattern)
        return str(found[-1])

    def mailed(self, pattern: str) -> str:
        """What matches in the emails, the last one."""
        return self._last(pattern)

    def wait_for_page(self, subject: str) -> str:
        """The HTML part of an email, once it appears. It is sent in the background."""
        pattern = rf"<!doctype html>(?:(?!</html>).)*<title>{subject}</title>.*?</html>"
        for _ in range(_ATTEMPTS):
            with suppress(LookupError):
                return self._last(pattern, re.DOTALL)
            time.sleep(0.1)
        raise LookupError(pattern)


@contextmanager
def running_demo() -> Iterator[Demo]:
    """Starts a demo, and stops it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "manage.py", "demo", "--port", str(port)]
        log = Path(folder) / "log"
        with log.open("wb") as out:
            address = f"http://localhost:{port}"
            environment = {**os.environ, "SITE_URL": address, "VAR_DIR": f"{folder}/var"}
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
            try:
                yield _ready(address, log)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(30)


def _ready(address: str, log: Path) -> Demo:
    transport = httpx.HTTPTransport(retries=0)
    for _ in range(_ATTEMPTS):
        try:
            with httpx.Client(transport=transport, trust_env=False) as client:
                client.get(f"{address}/readyz")
        except httpx.TransportError:
            transport = httpx.HTTPTransport(retries=3)
            continue
        found = re.search(r"Password\s+(\S+)", log.read_text())
        if found:
            return Demo(address, found[1], log)
    raise SystemExit(log.read_text())
