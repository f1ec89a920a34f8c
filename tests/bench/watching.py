"""What it costs to watch over all wearables of the city: processor time, so that others on the machine do not count."""

import time
from collections.abc import Iterator

from drivers.base import Metric
from gateway.model import Values
from gateway.watch import PARTS, TURN_S
from tests.bench.figures import Figure, percentile
from tests.bench.rig import folder
from tests.support.watching import Broker, Watching, devices

CITY = 8_076
A_FEW_PERCENT = 5.0
SECONDS = 20
LINK = "serial:rx"
SAID: Values = {Metric.BATTERY_LEVEL: 88, Metric.WORN: True, Metric.HEART_RATE: 72, Metric.STEPS: 4200}


def watching(runs: int) -> Iterator[Figure]:
    measured = [_measured() for _ in range(runs)]
    heard, turns, saving, anew, size = zip(*measured, strict=True)
    yield Figure("a frame noted", "µs", [each / CITY / SECONDS * 1e6 for each in heard])
    share = [sum(each) / (len(each) * TURN_S) * 100 for each in turns]
    yield Figure(f"one core, {CITY:,} wearers watched over", "%", share, A_FEW_PERCENT)
    yield Figure("the loop held up by one turn, p99", "ms", [percentile(each, 0.99) * 1e3 for each in turns])
    yield Figure("saving, once a minute", "ms", [each * 1e3 for each in saving])
    yield Figure("all said anew at a birth", "ms", [each * 1e3 for each in anew])
    yield Figure("the checkpoint", "MiB", [each / (1 << 20) for each in size])


def _measured() -> tuple[float, list[float], float, float, int]:
    with folder() as base:
        station, broker = Watching(devices(CITY), [LINK], base / "watch"), Broker()
        station.board.attach(broker)
        heard, turns = 0.0, list[float]()
        for _ in range(SECONDS):
            station.ms += 1_000
            began = time.process_time()
            for number in range(CITY):
                station.hear(number, LINK, SAID)
            heard += time.process_time() - began
            turns += [_timed(station) for _ in range(PARTS)]
            broker.answer()
        began = time.process_time()
        station.watch.gather()
        station.watch.save()
        saved = time.process_time() - began
        broker.posted, began = 0, time.process_time()
        station.board.again()
        broker.answer()
        anew = time.process_time() - began
        assert broker.posted == CITY
        return heard, turns[PARTS:], saved, anew, (base / "watch").stat().st_size


def _timed(station: Watching) -> float:
    began = time.process_time()
    station.watch.turn(station.now())
    return time.process_time() - began
