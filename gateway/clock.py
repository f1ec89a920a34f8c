"""Time and chance enter here and nowhere else; everything that decides is handed what it needs."""

import ctypes
import os
import time
from pathlib import Path

from drivers.base import Instant
from gateway.model import Moment

_TIME_ERROR = 5
_TIMEX_BYTES = 256


class Clock:
    """The box's two clocks, its boot and whether UTC can be believed. `refresh` asks the kernel again."""

    def __init__(self, boot: str | None = None) -> None:
        self.boot = boot or Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        self.synced = kernel_synchronised()

    def now(self) -> Instant:
        mono = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return Instant(time.time_ns() // 1_000_000, mono // 1_000_000)

    def refresh(self) -> bool:
        """Ask the kernel; true when the answer has changed."""
        before, self.synced = self.synced, kernel_synchronised()
        return before != self.synced

    def stamp(self, instant: Instant) -> Moment:
        return Moment(instant.wall_ms, instant.mono_ms, self.boot, self.synced)

    def moment(self) -> Moment:
        return self.stamp(self.now())

    def boot_at_ms(self) -> int | None:
        """UTC of the boot, in ms; None while the clock is not to be believed."""
        now = self.now()
        return now.wall_ms - now.mono_ms if self.synced else None

    def knows(self, moment: Moment) -> bool:
        """Whether UTC of a moment is to be believed: it was right then, or has become so since, in the same boot."""
        return moment.synced or (self.synced and moment.boot == self.boot)

    def utc_ms(self, moment: Moment) -> int:
        """UTC of a moment, corrected where it was not right then and is known now."""
        if moment.synced or not self.knows(moment):
            return moment.wall_ms
        now = self.now()
        return now.wall_ms - now.mono_ms + moment.mono_ms

    @staticmethod
    def random(count: int) -> bytes:
        return os.urandom(count)


def kernel_synchronised() -> bool:
    """What adjtimex(2) says: true once NTP, PTP or a GPS disciplines the clock."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes = 0: only asks; larger than any struct timex
    answer: int = ctypes.CDLL(None).adjtimex(timex)
    return 0 <= answer < _TIME_ERROR
