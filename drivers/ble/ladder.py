"""What is done about a radio that fails or is deaf. Pure: causes and the boot clock go in, rungs come out.

Each rung is tried once; then the radio is down (or, where nothing proves deafness, quiet) and the ladder rests
before it is climbed anew. Between the rungs a scan is simply tried again. What a silence without proof has used up
is kept apart from what a proven failure may still try. A block is no sickness: each one is lifted once and at once,
whatever was tried before it.
"""

from collections import Counter
from enum import StrEnum

PACE_MS = 5_000
"""Between two rungs that disturb the adapter: it is given time to come back by itself."""
ABSENT_MS = 30_000
"""How long an adapter may be away before its USB port is bound anew."""
REST_MS, REST_MOST_MS = 600_000, 3_600_000
"""After the last rung; doubled each time. A quiet radio rests for the longest at once."""
STEADY_MS = 60_000
"""A radio that heard over so long a time has healed; failing sooner goes on from the next rung."""


class Rung(StrEnum):
    RESTART = "restart"
    """Discovery is stopped and a new scan begun: what every new attempt does anyway."""
    POWER = "power"
    """The adapter is switched off and on over D-Bus."""
    UNBLOCK = "unblock"
    """The reset unit lifts rfkill's block."""
    CONTROLLER = "controller"
    """The reset unit takes the controller down and up."""
    REBIND = "rebind"
    """The reset unit binds the radio's USB device anew."""


class Cause(StrEnum):
    DEAF = "deaf"
    """Silence with a witness."""
    SILENT = "silent"
    """Silence without one: perhaps nobody is there."""
    FAILED = "failed"
    """BlueZ refuses or breaks off."""
    OFF = "off"
    BLOCKED = "blocked"
    ABSENT = "absent"
    """bluetoothd runs, and the adapter is not there."""
    ELSEWHERE = "elsewhere"
    """Not the adapter's doing: no bus, no bluetoothd, no permission."""


_FROM_POWER = (Rung.POWER, Rung.UNBLOCK, Rung.CONTROLLER, Rung.REBIND)
RUNGS: dict[Cause, tuple[Rung, ...]] = {
    Cause.DEAF: (Rung.RESTART, *_FROM_POWER),
    Cause.SILENT: (Rung.RESTART, *_FROM_POWER),
    Cause.FAILED: (Rung.RESTART, *_FROM_POWER),
    Cause.OFF: _FROM_POWER,
    Cause.BLOCKED: (Rung.UNBLOCK, Rung.POWER, Rung.CONTROLLER, Rung.REBIND),
    Cause.ABSENT: (Rung.REBIND,),
    Cause.ELSEWHERE: (),
}


class _Climb:
    """What was tried so far, and until when that was enough."""

    def __init__(self, rest_ms: int) -> None:
        self.tried: set[Rung] = set()
        self.rest_until_ms: int | None = None
        self._rest_ms = rest_ms

    def resting(self, now_ms: int) -> bool:
        return self.rest_until_ms is not None and now_ms < self.rest_until_ms

    def next(self, rungs: tuple[Rung, ...], now_ms: int) -> Rung | None:
        """The first rung that was not tried; None where there is none, and the rest begins or goes on."""
        if self.rest_until_ms is not None and now_ms >= self.rest_until_ms:
            self.rest_until_ms = None
            self.tried.clear()
        rung = next((each for each in rungs if each not in self.tried), None)
        if rung is None and rungs and self.rest_until_ms is None:
            self.rest_until_ms = now_ms + self._rest_ms
            self._rest_ms = min(2 * self._rest_ms, REST_MOST_MS)
        return rung


class Ladder:
    """Of one adapter. `cause` is why it is being climbed, None while all is well; `climbed` counts rungs for ever."""

    def __init__(self) -> None:
        self.cause: Cause | None = None
        self.deaf = False
        """It was proven deaf, and has heard nothing since."""
        self.climbed: Counter[Rung] = Counter()
        self._since_ms = 0
        """When the present cause began."""
        self._last_ms: dict[Rung, int] = {}
        """When each rung that disturbs the adapter was climbed last."""
        self._heard: tuple[int, int] | None = None
        """When it heard first and last since it failed."""
        self._begin_anew()

    def resting(self, now_ms: int) -> bool:
        """Whether enough was done about a silence that nothing proves wrong, and the next climb is not due yet."""
        return self._silent.resting(now_ms)

    def failed(self, cause: Cause, now_ms: int) -> None:
        """An attempt ended for `cause`."""
        if self._heard is not None and self._heard[1] - self._heard[0] >= STEADY_MS:
            self._begin_anew()
        if cause is not self.cause or self._heard is not None:
            self._since_ms = now_ms
            if cause is Cause.BLOCKED:
                self._proven.tried.discard(Rung.UNBLOCK)
        self.cause, self._heard = cause, None
        self.deaf = self.deaf or cause is Cause.DEAF

    def heard(self, at_ms: int) -> bool:
        """The radio heard something at that time. Whether that is news: the end of what was being climbed for."""
        if self.cause is None:
            return False
        first = self._heard is None
        self._heard = (at_ms, at_ms) if self._heard is None else (self._heard[0], at_ms)
        self.deaf = False
        return first

    def next(self, now_ms: int) -> Rung | None:
        """The rung to climb before the attempt that begins now; None where it is only tried again."""
        if self.cause is None or self._heard is not None:
            return None
        climb = self._silent if self.cause is Cause.SILENT else self._proven
        rung = climb.next(RUNGS[self.cause], now_ms)
        if rung is None or not self._due(rung, now_ms):
            return None
        climb.tried.add(rung)
        self.climbed[rung] += 1
        if rung is not Rung.RESTART:
            self._last_ms[rung] = now_ms
        return rung

    def _due(self, rung: Rung, now_ms: int) -> bool:
        if self.cause is Cause.ABSENT and now_ms - self._since_ms < ABSENT_MS:
            return False
        lifting = self.cause is Cause.BLOCKED and rung is Rung.UNBLOCK
        last = self._last_ms.get(rung) if lifting else max(self._last_ms.values(), default=None)
        return rung is Rung.RESTART or last is None or now_ms - last >= PACE_MS

    def _begin_anew(self) -> None:
        self.cause = None
        self._silent, self._proven = _Climb(REST_MOST_MS), _Climb(REST_MS)
