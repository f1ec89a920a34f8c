"""What the daemon takes of its box: processor time for each packet, and memory."""

import time
from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.listeners import Sink
from tests.bench.rig import Rig, folder
from tests.bench.street import adverts, bands, frames, pace, pipe, pour, wire
from tests.support.database import VictoriaMetrics, influx

CITY = 8_076
STATION = 400
SECONDS = 20.0
HALF_A_CORE = 50.0
ROUNDS = 5
PROMISE_MIB = 80.0


def processor(runs: int) -> Iterator[Figure]:
    """Both at 8,076 packets a second, each wearable once a second, with everything delivered meanwhile."""
    for line in ("advert", "serial frame"):
        shares = [_share(line) for _ in range(runs)]
        yield Figure(f"processor time for each {line}", "µs", [share / CITY * 1e6 for share in shares])
        promise = HALF_A_CORE if line == "advert" else None
        yield Figure(f"one core at {CITY:,} {line}s/s", "%", [share * 100 for share in shares], promise)


def memory(runs: int) -> Iterator[Figure]:
    for devices, promise in ((STATION, PROMISE_MIB), (CITY, None)):
        sizes = [_resident(devices) for _ in range(runs)]
        yield Figure(f"memory with {devices:,} wearables", "MiB", sizes, promise)
    with folder() as base, VictoriaMetrics(base) as database:
        (base / "token").write_text("s3cret")
        sizes = [_resident(STATION, influx(database.url, base / "token")) for _ in range(runs)]
    yield Figure(f"memory with {STATION:,} wearables and an InfluxDB", "MiB", sizes, PROMISE_MIB)


def _share(line: str) -> float:
    """Processor seconds for each second, once the daemon is warm."""
    with folder() as base, Rig(base, CITY) as rig, Sink(rig.broker), pipe(rig.pipe) as air:
        send, made = (air, adverts) if line == "advert" else (wire(rig.receiver), frames)
        packets = made(bands(CITY))
        pace(send, packets, CITY, 2.0)
        began, used = time.monotonic(), rig.daemon.cpu_s()
        written = pace(send, packets, CITY, SECONDS)
        used, elapsed = rig.daemon.cpu_s() - used, time.monotonic() - began
        assert written > 0.99 * CITY * elapsed, f"only {written / elapsed:.0f} packets/s could be written"
        return used / written * CITY


def _resident(devices: int, more: str = "") -> float:
    """After every wearable was heard over both ways, several times."""
    with folder() as base, Rig(base, devices, more=more) as rig, Sink(rig.broker) as sink, pipe(rig.pipe) as air:
        wearables = bands(devices)
        pour(wire(rig.receiver), frames(wearables), ROUNDS * devices)
        pour(air, adverts(wearables), ROUNDS * devices)
        sink.wait(2 * ROUNDS * devices, 60)
        return rig.daemon.rss_mib()
