"""How long a start takes, from the process to READY=1, and reading a long roster by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

from gateway.roster import load_roster
from tests.bench.figures import Figure
from tests.bench.rig import folder
from tests.support.daemon import Daemon, roster_text
from tests.support.processes import free_port

PROMISE_S = 2.0


def start(runs: int) -> Iterator[Figure]:
    for devices, promise in ((400, PROMISE_S), (8_076, None)):
        yield Figure(f"READY with {devices:,} wearables", "s", [_ready(devices) for _ in range(runs)], promise)
    yield Figure("roster of 8,076 wearables read", "s", [_roster(8_076) for _ in range(runs)], PROMISE_S)


def _ready(devices: int) -> float:
    """A first start with an empty data folder; the broker is away, for READY does not wait for it."""
    with folder() as base:
        daemon = Daemon(base / "box", [f"mqtt://localhost:{free_port()}"], devices=devices)
        began = time.monotonic()
        with daemon:
            return time.monotonic() - began


def _roster(devices: int) -> float:
    with folder() as base:
        path = Path(base) / "devices.yaml"
        path.write_text(roster_text(devices))
        began = time.monotonic()
        assert len(load_roster(path).devices) == devices
        return time.monotonic() - began
