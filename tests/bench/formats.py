"""What reading a frame of each shipped format costs, beside struct code written by hand for the same bytes."""

import struct
from collections.abc import Callable, Iterator
from timeit import repeat

from drivers.base import Decoded, Measurement, Metric, Packet
from tests.bench.figures import Figure
from tests.support.formats import decoded, golden, keyed, shipped

ROUNDS = 5_000
TIMES = 5.0

_WEARABLE = struct.Struct("<BHBBBBBhH")


def by_hand(payload: bytes) -> list[Measurement]:
    """The 398 reference format's measurements as a programmer would read them; without occurrences and bounds."""
    _, _, _, status, battery, heart_rate, spo2, temperature, steps = _WEARABLE.unpack_from(payload, 2)
    readings = [
        Measurement(Metric.WORN, bool(status & 1)),
        Measurement(Metric.CHARGING, bool(status & 2)),
        Measurement(Metric.MOVING, bool(status & 8)),
    ]
    if battery != 255:
        readings.append(Measurement(Metric.BATTERY_LEVEL, battery))
    if heart_rate:
        readings.append(Measurement(Metric.HEART_RATE, heart_rate))
    if spo2:
        readings.append(Measurement(Metric.SPO2, spo2))
    if temperature != 0x7FFF:
        readings.append(Measurement(Metric.SKIN_TEMPERATURE, round(temperature * 0.01, 2)))
    if steps != 0xFFFF:
        readings.append(Measurement(Metric.STEPS, steps))
    return readings


def formats(runs: int) -> Iterator[Figure]:
    hand = [_microseconds(lambda: by_hand(REFERENCE)) for _ in range(runs)]
    yield Figure("398-reference read by hand", "µs", hand)
    for name in shipped().names:
        packets = [packet for _, packet in golden(shipped()[name]) if isinstance(decoded(keyed(), packet), Decoded)]
        if not packets:
            continue
        promise = TIMES * min(hand) if name == "398-reference" else None
        costs = [max(_cost(packet) for packet in packets) for _ in range(runs)]
        yield Figure(f"{name}, its dearest golden frame", "µs", costs, promise)


def _cost(packet: Packet) -> float:
    known = keyed()
    return _microseconds(lambda: known.decode(packet))


def _microseconds(work: Callable[[], object]) -> float:
    return min(repeat(work, number=ROUNDS, repeat=3)) / ROUNDS * 1e6


REFERENCE = bytes.fromhex("98030311000109584861f00c6810")
