"""Packets made beforehand, and how they are given to the daemon: as fast as it takes them, or at a set rate."""

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.cli.street import Kind, Wearable, advert_line, serial_frame
from tests.support.air import band
from tests.support.receiver import Receiver

Write = Callable[[bytes], None]
SLICE_S = 0.002
"""Packets of this time are written together: on the air they come one by one, and each wakes the daemon."""
PORTION = 64
REST_S = 0.001


def bands(count: int) -> list[Wearable]:
    return [band(number) for number in range(1, count + 1)]


def vitals(wearables: list[Wearable], rounds: int = 4) -> Iterator[tuple[Wearable, bytes]]:
    """Every wearable in turn, its vitals a little different each time."""
    chance = random.Random(398)
    for _ in range(rounds):
        for wearable in wearables:
            wearable.live(chance)
            yield wearable, wearable.payload(Kind.VITALS)


def frames(wearables: list[Wearable]) -> list[bytes]:
    return [serial_frame(wearable.number, payload) for wearable, payload in vitals(wearables)]


def adverts(wearables: list[Wearable]) -> list[bytes]:
    return [advert_line(wearable.address, payload) for wearable, payload in vitals(wearables)]


def wire(receiver: Receiver) -> Write:
    """Nothing is lost on this wire: it waits until the daemon has taken the bytes."""
    return lambda octets: receiver.write(octets, seconds=60.0)


@contextmanager
def pipe(path: Path) -> Iterator[Write]:
    descriptor = os.open(path, os.O_WRONLY)

    def write(octets: bytes) -> None:
        while octets:
            octets = octets[os.write(descriptor, octets) :]

    try:
        yield write
    finally:
        os.close(descriptor)


def pour(write: Write, packets: list[bytes], count: int, room: Callable[[int], bool] = lambda _written: True) -> None:
    """`count` packets, each as soon as the line takes it and there is `room` after those written."""
    endless = itertools.cycle(packets)
    for written in range(0, count, PORTION):
        while not room(written):
            time.sleep(REST_S)
        write(b"".join(itertools.islice(endless, min(PORTION, count - written))))


def pace(write: Write, packets: list[bytes], rate: float, seconds: float) -> int:
    """`rate` packets a second; returns how many were written."""
    endless = itertools.cycle(packets)
    began, written = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = int(elapsed * rate) - written
        if due > 0:
            write(b"".join(itertools.islice(endless, due)))
            written += due
        time.sleep(SLICE_S)
    return written
