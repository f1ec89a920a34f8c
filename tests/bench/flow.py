"""How many readings a second go all the way: heard, committed, published, and counted by the platform."""

import time
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.listeners import Sink
from tests.bench.rig import Rig, folder
from tests.bench.street import Write, adverts, bands, frames, pipe, pour, wire

DEVICES = 400
SECONDS = 120.0
UNDER_WAY = 10_000
"""Readings that are in the daemon and not yet at the platform: with more it may shed, and the rate were a fiction."""
LIMITS = {"one to a message": ("batch: 1", 60_000, 6_000.0), "batched": ("batch: 100", 200_000, 50_000.0)}


def flow(runs: int) -> Iterator[Figure]:
    """A reading is what the contract counts as one: all that one packet says of one wearable."""
    for how, (telemetry, count, promise) in LIMITS.items():
        for line in ("pty", "pipe"):
            rates = [_run(line, telemetry, count) for _ in range(runs)]
            yield Figure(f"readings through the {line}, {how}", "readings/s", rates, promise, more_is_better=True)


def _run(line: str, telemetry: str, count: int) -> float:
    with folder() as base, Rig(base, DEVICES, telemetry) as rig, Sink(rig.broker) as sink:
        if line == "pty":
            return _rate(wire(rig.receiver), frames(bands(DEVICES)), count, sink)
        with pipe(rig.pipe) as write:
            return _rate(write, adverts(bands(DEVICES)), count, sink)


def _rate(write: Write, packets: list[bytes], count: int, sink: Sink) -> float:
    """From the first byte written to the last reading at the platform; none may be missing."""
    began = time.monotonic()
    pour(write, packets, count, room=lambda written: written - sink.readings < UNDER_WAY)
    sink.wait(count, SECONDS)
    return count / (time.monotonic() - began)
