"""From the press to the disk and to the broker: idle, and while a long backlog drains."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.cli.street import Code, Kind, serial_frame
from gateway.requests import ALERTS_LISTED
from tests.bench.backlog import Backlog
from tests.bench.figures import Figure, percentile
from tests.bench.listeners import Asker, Ear, Sink
from tests.bench.rig import Rig, folder
from tests.bench.street import bands, frames, pour, wire
from tests.support.air import band
from tests.support.line import Line
from tests.support.processes import wait_for

DEVICES = 400
PRESSES = 300
IDLE_GAP_S = (0.03, 0.09)
DRAIN_GAP_S = (0.01, 0.035)
PROMISE_MS = 60.0
QUESTIONS = 10_000
SLOW_PRESSES = 100
SLOW_GAP_S = (0.5, 1.9)
SLOW_PROMISE_MS = 3_000.0
SILENCES_S = (5, 30, 120)


@dataclass(frozen=True)
class Latencies:
    """In milliseconds, one for each press."""

    commit: list[float]
    puback: list[float]


class Presser:
    """Each press is a wearable's first event, one frame of it; `at` keeps when its bytes went into the pty."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._chance = random.Random(1)
        self.at: dict[str, int] = {}

    def press(self, number: int) -> None:
        sender = band(number)
        sender.press(Code.SOS, 0.0)
        frame = serial_frame(sender.number, sender.payload(Kind.EVENT))
        self.at[f"band-{number:04}"] = time.time_ns()
        self._rig.receiver.write(frame)

    def rest(self, gap: tuple[float, float]) -> None:
        time.sleep(self._chance.uniform(*gap))  # never in step with the daemon's own ticks

    def latencies(self, ear: Ear) -> Latencies:
        """The daemon logs an alert right after its commit; the broker passes it on as it answers it."""
        wait_for(lambda: set(self.at) <= set(ear.pressed()), 20, "every press at the platform")
        heard, committed = ear.pressed(), _committed(self._rig)
        commit = [(committed[device] - at) / 1e6 for device, at in self.at.items()]
        return Latencies(commit, [(heard[device] - at) / 1e6 for device, at in self.at.items()])


def idle(runs: int) -> Iterator[Figure]:
    measured = []
    for _ in range(runs):
        with folder() as base:
            measured.append(_idle(base))
    yield from _figures("idle", measured, None)


def asked(runs: int) -> Iterator[Figure]:
    measured = []
    for _ in range(runs):
        with folder() as base:
            measured.append(_asked(base))
    yield from _figures(f"while {QUESTIONS:,} ask for the open alerts", measured, None)


def draining(runs: int) -> Iterator[Figure]:
    with folder() as base:
        backlog = Backlog(base / "backlog", DEVICES)
        measured = [_draining(base / f"run-{run}", backlog) for run in range(runs)]
    yield from _figures("draining", measured, PROMISE_MS)


def slow(runs: int) -> Iterator[Figure]:
    with folder() as base:
        backlog = Backlog(base / "backlog", DEVICES)
        measured = [_slow(base / f"run-{run}", backlog) for run in range(runs)]
    yield from _figures("64 kbit/s, 300 ms, 2 % loss", measured, SLOW_PROMISE_MS)


def silent(runs: int) -> Iterator[Figure]:
    for seconds in SILENCES_S:
        waited = []
        for _ in range(runs):
            with folder() as base:
                waited.append(_silent(base, seconds))
        yield Figure(f"alert of a silence of {seconds} s, from its end to PUBACK", "s", waited)


def _silent(base: Path, seconds: float) -> float:
    with Line() as line, Rig(base, DEVICES, line=line) as rig, Ear(rig.broker) as ear:
        line.silence(rig.broker.port)
        presser = Presser(rig)
        presser.press(1)
        time.sleep(seconds)
        line.speak()
        over = time.time_ns()
        presser.latencies(ear)
        return (ear.pressed()["band-0001"] - over) / 1e9


def _slow(base: Path, backlog: Backlog) -> Latencies:
    with Line(rate=64_000, delay_s=0.15, loss=2) as line, backlog.rig(base, line) as rig:
        rig.broker.start()
        with Ear(rig.broker) as ear, backlog.rows(rig) as rows:
            wait_for(lambda: rows.oldest not in (None, 1), 30, "the first row delivered")
            presser = Presser(rig)
            for number in range(1, SLOW_PRESSES + 1):
                presser.press(number)
                presser.rest(SLOW_GAP_S)
            return presser.latencies(ear)


def _idle(base: Path) -> Latencies:
    with Rig(base, DEVICES) as rig, Sink(rig.broker) as sink, Ear(rig.broker) as ear:
        pour(wire(rig.receiver), frames(bands(DEVICES)), DEVICES)  # everybody has been heard before
        sink.wait(DEVICES, 10)
        presser = Presser(rig)
        for number in range(1, PRESSES + 1):
            presser.press(number)
            presser.rest(IDLE_GAP_S)
        return presser.latencies(ear)


def _asked(base: Path) -> Latencies:
    with Rig(base, DEVICES) as rig, Ear(rig.broker) as ear:
        presser = Presser(rig)
        for number in range(1, ALERTS_LISTED + 1):  # as long a list as there is
            presser.press(number)
            presser.rest(IDLE_GAP_S)
        presser.latencies(ear)
        presser.at.clear()
        with Asker(rig.broker, QUESTIONS) as asker:
            for number in range(ALERTS_LISTED + 1, DEVICES + 1):
                presser.press(number)
                presser.rest(DRAIN_GAP_S)
                if not asker.left:
                    break
        return presser.latencies(ear)


def _draining(base: Path, backlog: Backlog) -> Latencies:
    with backlog.rig(base) as rig:
        rig.broker.start()
        with Sink(rig.broker), Ear(rig.broker) as ear, backlog.rows(rig) as rows:
            wait_for(lambda: rows.oldest != 1, 10, "the first row delivered")
            presser = Presser(rig)
            for number in range(1, DEVICES + 1):
                presser.press(number)
                presser.rest(DRAIN_GAP_S)
                if rows.oldest is None:
                    break
            return presser.latencies(ear)


def _committed(rig: Rig) -> dict[str, int]:
    told = rig.daemon.log(event="alert", reason="press")
    return {entry["device"]: int(datetime.fromisoformat(entry["timestamp"]).timestamp() * 1e6) * 1000 for entry in told}


def _figures(when: str, measured: list[Latencies], promise: float | None) -> Iterator[Figure]:
    presses = sum(len(run.commit) for run in measured)
    for stage, runs in (("commit", [run.commit for run in measured]), ("PUBACK", [run.puback for run in measured])):
        name = f"press to {stage}, {when} ({presses} presses)"
        yield Figure(f"{name}: p50", "ms", [percentile(run, 0.50) for run in runs])
        yield Figure(f"{name}: p99", "ms", [percentile(run, 0.99) for run in runs], promise)
        yield Figure(f"{name}: max", "ms", [max(run) for run in runs])
