"""What an advert costs from bleak's callback to its meaning, and what a million addresses leave behind."""

import asyncio
import gc
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from structlog.testing import capture_logs

from drivers.ble.adverts import DEVICES
from gateway.cli.street import Kind, Wearable
from tests.bench.figures import Figure
from tests.bench.rig import folder
from tests.bench.street import bands
from tests.support.crowd import passing
from tests.support.ears import Ears, advert, device, listening

CITY = 8_076
STATION = 400
HALF_A_CORE, A_FEW_PERCENT = 50.0, 5.0
ROUNDS = 5
FIRST, PASSING = 100_000, 1_000_000

Said = list[tuple[BLEDevice, AdvertisementData]]


class Size(NamedTuple):
    resident: float
    blocks: int


def cost(runs: int) -> Iterator[Figure]:
    """Every wearable once a second; processor time, so that others on the machine do not count."""
    for changed in (True, False):
        costs = [asyncio.run(_cost(changed=changed)) for _ in range(runs)]
        what = "changed" if changed else "unchanged"
        yield Figure(f"processor time of a callback, {what} advert", "µs", [each * 1e6 for each in costs])
        yield Figure(f"{what} adverts that one core takes", "/s", [1 / each for each in costs], more_is_better=True)
        for rate, promise in ((STATION, A_FEW_PERCENT), (CITY, HALF_A_CORE)):
            shares = [each * rate * 100 for each in costs]
            yield Figure(f"one core at {rate:,} {what} adverts/s", "%", shares, promise)


def crowd(runs: int) -> Iterator[Figure]:
    """The interpreter's own count of what is alive does not know of the allocator's habits, as resident memory does."""
    sizes = [asyncio.run(_crowd()) for _ in range(runs)]
    for place, count in ((0, FIRST), (-1, PASSING)):
        yield Figure(f"memory after {count:,} random addresses", "MiB", [each[place].resident for each in sizes])
    grown = [each[-1].blocks - each[0].blocks for each in sizes]
    yield Figure("growth between the two", "blocks", grown, FIRST / 100)


async def _cost(*, changed: bool) -> float:
    """Processor seconds for each advert, once every device is known."""
    first, *rounds = (_round(bands(CITY), number) for number in range(ROUNDS + 1))
    with folder() as base, capture_logs():
        async with listening(base, CITY) as ears:
            _hear(ears, first)
            used = time.process_time()
            for each in rounds:
                ears.clock.ms += 1_000
                _hear(ears, each if changed else first)
            used = time.process_time() - used
            assert ears.radio.standing.repeated == (0 if changed else (ROUNDS - 1) * CITY)
            return used / (ROUNDS * CITY)


def _round(wearables: list[Wearable], number: int) -> Said:
    """What each says that has gone so many steps."""
    for wearable in wearables:
        wearable.steps = number
    return [(device(wearable.address), advert(wearable.payload(Kind.VITALS))) for wearable in wearables]


def _hear(ears: Ears, said: Said) -> None:
    heard = ears.heard
    for sender, each in said:
        heard(sender, each)


async def _crowd() -> list[Size]:
    """This process's sizes, from the first addresses on, whenever half of the devices have just been forgotten."""
    sizes, before = list[Size](), 0
    with folder() as base, capture_logs():
        async with listening(base, STATION) as ears:
            adverts = ears.radio._adverts
            for number, (sender, each) in enumerate(passing(PASSING, random.Random(398))):
                ears.heard(sender, each)
                if number >= FIRST and len(adverts) == DEVICES + 1 != before:
                    sizes.append(_size())
                before = len(adverts)
    return sizes


def _size() -> Size:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Size(pages * 4096 / (1 << 20), sys.getallocatedblocks())
