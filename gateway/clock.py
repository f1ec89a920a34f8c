"""Time and chance enter here and nowhere else; everything that decides is handed what it needs."""

import ctypes
import os
import time
from collections import deque
from pathlib import Path

from drivers.base import Instant
from gateway.model import Moment

_TIME_ERROR = 5
_TIMEX_BYTES = 256
STEP_MS = 500
"""The two clocks are read one after the other; what they differ by more than that, somebody has set."""
STEPS = 16
"""Steps of the wall clock that are remembered."""
_libc = ctypes.CDLL(None, use_errno=True)


class Clock:
    """The box's two clocks, its boot and whether UTC can be believed. `refresh` asks the kernel again.

    When the boot was is learned while the clock is right, and stays known when it is not any longer.
    """

    def __init__(self, boot: str | None = None) -> None:
        self.boot = boot or Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        self.untold: str | None = None
        """Why the kernel does not say whether its clock is right."""
        self._boot_at_ms: int | None = None
        self._right_ms = -1
        """When, by the boot clock, the clock was last right."""
        self._told: tuple[bool, int | None] = False, None
        self._ask()
        began = _read()
        self._steps = deque([(began.mono_ms, _apart(began))], STEPS)
        """Since when, by the boot clock, the two clocks have been how far apart."""

    def now(self) -> Instant:
        instant = _read()
        if abs(_apart(instant) - self._steps[-1][1]) >= STEP_MS:  # it was set, and by whom only the kernel knows
            self._steps.append((instant.mono_ms, _apart(instant)))
            self._ask()
        return instant

    def refresh(self) -> bool:
        """Ask the kernel; true when there is news since the last time: whether UTC is right, or when the boot was."""
        self._ask()
        before, self._told = self._told, (self.synced, self.boot_at_ms())
        return before != self._told

    def stamp(self, instant: Instant) -> Moment:
        return Moment(instant.wall_ms, instant.mono_ms, self.boot, self.synced)

    def moment(self) -> Moment:
        return self.stamp(self.now())

    def boot_at_ms(self) -> int | None:
        """UTC of the boot, in ms; None where the clock has never been right since."""
        if self.synced:
            now = self.now()
            if self._boot_at_ms is None or abs(_apart(now) - self._boot_at_ms) >= STEP_MS:
                self._boot_at_ms = _apart(now)
            self._right_ms = now.mono_ms
        return self._boot_at_ms

    def knows(self, moment: Moment) -> bool:
        """Whether UTC of a moment is to be believed: it was right then, or has become so since, in the same boot."""
        return moment.synced or self._corrected_ms(moment) is not None

    def utc_ms(self, moment: Moment) -> int:
        """UTC of a moment, corrected where it was not right then and has become known since."""
        corrected = None if moment.synced else self._corrected_ms(moment)
        return moment.wall_ms if corrected is None else corrected

    def _corrected_ms(self, moment: Moment) -> int | None:
        boot_at = self.boot_at_ms()
        if boot_at is None or moment.boot != self.boot or moment.mono_ms > self._right_ms:
            return None
        return boot_at + moment.mono_ms

    def age_ms(self, wall_ms: int) -> int:
        """How long ago the wall clock showed this, however often it was set since; at least so long as is certain."""
        mono_ms = self.now().mono_ms
        until = mono_ms
        for since, apart in reversed(self._steps):
            if since <= wall_ms - apart <= until:
                return mono_ms - (wall_ms - apart)
            until = since
        return max(0, mono_ms - min(until, wall_ms - self._steps[0][1]))  # before this run

    @staticmethod
    def random(count: int) -> bytes:
        return os.urandom(count)

    def _ask(self) -> None:
        try:
            self.synced, self.untold = kernel_synchronised(), None
        except OSError as error:
            self.synced, self.untold = False, error.strerror


def _read() -> Instant:
    mono = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return Instant(time.time_ns() // 1_000_000, mono // 1_000_000)


def _apart(instant: Instant) -> int:
    return instant.wall_ms - instant.mono_ms


def kernel_synchronised() -> bool:
    """What adjtimex(2) says: true once NTP, PTP or a GPS disciplines the clock. OSError where it may not be asked."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes = 0: only asks; larger than any struct timex
    answer: int = _libc.adjtimex(timex)
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer < _TIME_ERROR
