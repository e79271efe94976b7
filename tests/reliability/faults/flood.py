"""Attacker with many connections that send requests without a pause, in a separate process.

`python -m tests.reliability.faults.flood` reads from its input what to send, and finally prints how
often it got each status. A separate process keeps its clients from slowing the measurement.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import cycle
from urllib.parse import urlsplit

from config.env import ROOT
from tests.reliability.faults.load import LOST

#: Whatever happens to the test, the clients stop by then.
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Attack:
    """What each of so many connections repeats: method, path and body, in turn."""

    requests: Sequence[tuple[str, str, str]]
    headers: Mapping[str, str]
    connections: int = 100
    #: Seconds that each connection rests after an answer.
    pause: float = 0


@dataclass(slots=True)
class Outcome:
    """How often which status was answered; filled at the end."""

    statuses: Counter[int] = field(default_factory=Counter)


@contextmanager
def flood(address: str, attack: Attack) -> Iterator[Outcome]:
    """The attack, for as long as the block runs."""
    outcome = Outcome()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.faults.flood", address],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(asdict(attack)) + "\n")
    process.stdin.flush()
    try:
        assert process.stdout.readline() == "begun\n"
        yield outcome
    finally:
        counted, _ = process.communicate("stop\n", timeout=90)
    outcome.statuses.update({int(s): n for s, n in json.loads(counted).items()})


class _Client(threading.Thread):
    def __init__(self, address: str, attack: Attack, number: int, end: threading.Event) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(address)
        self._place = str(parts.hostname), parts.port
        self._attack, self._number, self._end = attack, number, end
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        wire = http.client.HTTPConnection(*self._place, timeout=60)
        requests = cycle(self._attack.requests)
        for _ in range(self._number):
            next(requests)
        # Not all in the same moment of each round.
        self._end.wait(self._attack.pause * self._number / self._attack.connections)
        while not self._end.is_set():
            method, path, body = next(requests)
            try:
                wire.request(method, path, body or None, dict(self._attack.headers))
                answer = wire.getresponse()
                self.statuses[answer.status] += 1  # an export may last longer than the attack
                answer.read()
            except (OSError, http.client.HTTPException):
                self.statuses[LOST] += 1
                wire.close()
                self._end.wait(0.1)
            if self._attack.pause:
                self._end.wait(self._attack.pause)
        wire.close()


def _main(address: str) -> None:
    attack = Attack(**json.loads(sys.stdin.readline()))
    end = threading.Event()
    clients = [_Client(address, attack, n, end) for n in range(attack.connections)]
    for client in clients:
        client.start()
    time.sleep(attack.pause)
    print("begun", flush=True)  # noqa: T201
    timer = threading.Timer(LONGEST, end.set)
    timer.daemon = True
    timer.start()
    sys.stdin.readline()
    end.set()
    deadline = time.monotonic() + 75
    for client in clients:
        client.join(max(0.0, deadline - time.monotonic()))
    print(json.dumps(sum((client.statuses for client in clients), Counter())))  # noqa: T201


if __name__ == "__main__":
    _main(sys.argv[1])
