"""Presses on the air in real time: what wearables near a receiver send, whether anybody hears it or not."""

import random
import threading
import time
from collections.abc import Callable
from typing import Self

from gateway.cli.street import Code, Kind, Street, Wearable, advert_line, serial_frame
from tests.support.daemon import address

Send = Callable[[Wearable, bytes], None]


def over_serial(write: Callable[[bytes], None]) -> Send:
    return lambda band, payload: write(serial_frame(band.number, payload))


def over_adverts(write: Callable[[bytes], None]) -> Send:
    return lambda band, payload: write(advert_line(band.address, payload))


class Air:
    """A street in a thread of its own; every payload goes to each of `sends`, which may raise OSError."""

    def __init__(self, count: int, *sends: Send, pace: float = 1.0, seed: int = 1) -> None:
        self.bands = [Wearable(int(address(number), 16) & 0xFFFFFFFF) for number in range(1, count + 1)]
        self._street = Street(self.bands, random.Random(seed), pace)
        self._sends = sends
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._street.begin(time.monotonic())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def press(self, number: int, code: Code = Code.SOS) -> int:
        with self._lock:
            return self._street.press(number - 1, code, time.monotonic())

    def _run(self) -> None:
        while not self._over.is_set():
            with self._lock:
                due = self._street.frames(time.monotonic())
            for band, payload in due:
                for send in self._sends:
                    try:
                        send(band, payload)
                    except OSError:
                        continue  # nobody hears it: that is how air is
            time.sleep(0.005)


def burst(band: Wearable, code: Code, copies: int = 3) -> list[bytes]:
    """The payloads of one press, as many of them as a test wants."""
    band.press(code, 0.0)
    return [band.payload(Kind.EVENT)] * copies


def band(number: int, **fields: object) -> Wearable:
    """The roster's band of that number."""
    return Wearable(int(address(number), 16) & 0xFFFFFFFF, **fields)  # type: ignore[arg-type]
