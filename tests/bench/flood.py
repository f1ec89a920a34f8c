"""The press while everything else pours in: a city, noise, adverts without end, a database that is away or hangs."""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from gateway.cli.street import Code, Wearable, advert_line
from tests.bench.figures import Figure, percentile
from tests.bench.listeners import Ear, Sink
from tests.bench.press import Presser
from tests.bench.rig import Rig, folder
from tests.bench.street import Write, adverts, bands, frames, pace, pipe, pour, wire
from tests.support.air import burst
from tests.support.database import HANG, StandIn, VictoriaMetrics, influx
from tests.support.processes import free_port

CITY, STATION = 8_076, 400
PRESSES = 200
GAP_S = (0.02, 0.06)
WARM_S = 2.0
FOR_EVER_S = 3_600.0
LINE_BYTES, FAST_BYTES = 11_520, 1_000_000
ADVERTS, STORM = 10_000, 200_000
NOISE = 256
"""Bytes of noise that count as one packet for `pace`."""

_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Flood:
    """`pours` writes to a station until it is ended, in a process of its own: the press has this one for itself."""

    name: str
    pours: Callable[[Rig], None] | None = None
    more: str = ""


def flood(runs: int) -> Iterator[Figure]:
    with folder() as base, VictoriaMetrics(base) as victoria, StandIn() as hanging:
        hanging.answer = HANG
        (base / "token").write_text("s3cret")
        token = base / "token"
        floods = [
            Flood("nothing"),
            Flood(f"{CITY:,} wearables, an advert/s each", lambda rig: _city(rig, CITY)),
            Flood(f"{ADVERTS:,} adverts/s", lambda rig: _city(rig, ADVERTS)),
            Flood("noise at 115,200 baud on another line", lambda rig: noise(wire(rig.noise), LINE_BYTES)),
            Flood("noise of 1 MB/s on another line", lambda rig: noise(wire(rig.noise), FAST_BYTES)),
            Flood("noise at 115,200 baud on the same line", lambda rig: noise(wire(rig.receiver), LINE_BYTES)),
            Flood(f"{ADVERTS:,} made-up SOS/s", _storm),
            Flood("a station", _station),
            Flood("a station, InfluxDB there", _station, influx(victoria.url, token)),
            Flood("a station, InfluxDB away", _station, influx(f"http://127.0.0.1:{free_port()}", token)),
            Flood("a station, InfluxDB hangs", _station, influx(hanging.url, token)),
        ]
        for number, each in enumerate(floods):
            measured = [beside(base / f"{number}-{run}", each) for run in range(runs)]
            yield from figures(each.name, measured)


@dataclass(frozen=True)
class Run:
    latencies: list[float]
    busy: float
    grown: float


def beside(base: Path, each: Flood) -> Run:
    """Presses while `each` pours in, with a daemon and a broker of their own."""
    base.mkdir()
    with Rig(base, CITY, more=each.more) as rig, Sink(rig.broker) as sink, Ear(rig.broker) as ear:
        pour(wire(rig.receiver), frames(bands(PRESSES)), PRESSES)  # everybody who presses has been heard before
        sink.wait(PRESSES, 20)
        with _pouring(rig, each.pours):
            time.sleep(WARM_S)
            began, used, size = time.monotonic(), rig.daemon.cpu_s(), rig.daemon.rss_mib()
            presser = Presser(rig)
            for number in range(1, PRESSES + 1):
                presser.press(number)
                presser.rest(GAP_S)
            latencies = presser.latencies(ear).puback
            busy = (rig.daemon.cpu_s() - used) / (time.monotonic() - began)
            return Run(latencies, busy, rig.daemon.rss_mib() - size)


@contextmanager
def _pouring(rig: Rig, pours: Callable[[Rig], None] | None) -> Iterator[None]:
    with ExitStack() as over:
        if pours is not None:
            pouring: BaseProcess = _fork.Process(target=pours, args=(rig,), daemon=True)
            pouring.start()
            over.callback(pouring.join)
            over.callback(pouring.kill)
        yield
        assert pours is None or pouring.is_alive(), "the flood ran dry"


def _city(rig: Rig, rate: float) -> None:
    crowd(rig, rate, bands(CITY)[PRESSES:])


def _station(rig: Rig) -> None:
    crowd(rig, STATION, bands(STATION + PRESSES)[PRESSES:])


def crowd(rig: Rig, rate: float, wearables: list[Wearable]) -> None:
    """Adverts of all of them in turn, so many a second, for ever."""
    with pipe(rig.pipe) as write:
        pace(write, adverts(wearables), rate, FOR_EVER_S)


def _storm(rig: Rig) -> None:
    """Each from an address that nobody has heard before; no more of them than there are pressed in the time."""
    chance = random.Random(398)
    pressing = [Wearable(chance.getrandbits(32)) for _ in range(STORM)]
    lines = [advert_line(each.address, burst(each, Code.SOS)[0]) for each in pressing]
    with pipe(rig.pipe) as write:
        pace(write, lines, ADVERTS, FOR_EVER_S)


def noise(write: Write, rate: float) -> None:
    """Random bytes, so many a second, for ever; each portion with a start of a frame that never becomes one."""
    chance = random.Random(398)
    portions = [chance.randbytes(NOISE - 3) + b"\xa5\x5a\x11" for _ in range(1_000)]
    pace(write, portions, rate / NOISE, FOR_EVER_S)


def figures(name: str, measured: list[Run]) -> Iterator[Figure]:
    yield Figure(f"press to PUBACK beside {name}: p50", "ms", [percentile(run.latencies, 0.50) for run in measured])
    yield Figure(f"press to PUBACK beside {name}: p99", "ms", [percentile(run.latencies, 0.99) for run in measured])
    yield Figure(f"press to PUBACK beside {name}: max", "ms", [max(run.latencies) for run in measured])
    yield Figure(f"one core beside {name}", "%", [run.busy * 100 for run in measured])
    yield Figure(f"growth of memory beside {name}", "MiB", [run.grown for run in measured])
