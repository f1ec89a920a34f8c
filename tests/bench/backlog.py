"""A long backlog of telemetry, one reading to a message, and how fast it drains."""

import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.listeners import Sink
from tests.bench.rig import Rig, folder
from tests.bench.street import bands, frames, pace, wire
from tests.support.line import Line
from tests.support.processes import wait_for
from tests.support.rows import Rows

MESSAGES = 100_000
BUILD_RATE = 4_000.0
SINGLE = "batch: 1"
DEVICES = 400
PROMISE = 12_000.0


class Backlog:
    """Heard once with the broker away; every rig begins with a copy of it."""

    def __init__(self, base: Path, devices: int) -> None:
        self._devices = devices
        with Rig(base, devices, SINGLE, away=True) as rig, Rows(rig.data, "telemetry") as rows:
            heard = pace(wire(rig.receiver), frames(bands(devices)), BUILD_RATE, MESSAGES / BUILD_RATE + 0.1)
            wait_for(lambda: rows.next > heard, 30, "the backlog on the disk")
        self.data = rig.data

    def rig(self, base: Path, line: Line | None = None) -> Rig:
        """A station that holds the backlog, its broker away."""
        return Rig(base, self._devices, SINGLE, data=self.data, away=True, line=line)

    @staticmethod
    def rows(rig: Rig) -> Rows:
        return Rows(rig.data, "telemetry")


def drain(runs: int) -> Iterator[Figure]:
    with folder() as base:
        backlog = Backlog(base / "backlog", DEVICES)
        rates = [_drain(base / f"run-{run}", backlog) for run in range(runs)]
    yield Figure("backlog drained, one reading to a message", "messages/s", rates, PROMISE, more_is_better=True)


def _drain(base: Path, backlog: Backlog) -> float:
    """From the first row that leaves the file to the last: every one deleted after its own PUBACK."""
    with backlog.rig(base) as rig, backlog.rows(rig) as rows:
        count = rows.next - 1
        rig.broker.start()
        with Sink(rig.broker):
            wait_for(lambda: rows.oldest != 1, 10, "the first row delivered")
            began, left = time.monotonic(), rows.oldest or 0
            wait_for(lambda: rows.oldest is None, 120, "the backlog drained")
            return (count + 1 - left) / (time.monotonic() - began)
