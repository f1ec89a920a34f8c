"""Which receivers hear, and for how long each has not: silence counts only while somebody listened. Pure.

A line that is open may still be deaf: its receiver no longer speaks of itself, or nobody of all whom it used to hear
is heard. All times are milliseconds of the boot clock.
"""

from collections.abc import Mapping

import msgspec

DEAF_MS = 60_000
"""Never is a receiver deaf after a shorter silence."""
TIMES = 3
"""How many times the longest normal gap the silence of a deaf one lasts."""
OWN_ENOUGH, ENOUGH = 3, 20
"""Beats after which the gaps between them mean something: of the receiver itself, and of wearables."""
FLOCK = 5
"""So many wearables do not all fall silent at once: it is who hears them."""
HOUR_MS = 3_600_000


class Rhythm(msgspec.Struct, gc=False, array_like=True):
    """How regularly something is heard: its longest gap in this and in the last period, and how many beats they had."""

    last_ms: int
    since_ms: int
    count: int = 0
    longest_ms: int = 0
    count_before: int = 0
    longest_before_ms: int = 0

    def beat(self, now_ms: int, gap_ms: int, period_ms: int) -> None:
        """Heard again, after a gap that is a normal one."""
        if now_ms - self.since_ms >= period_ms:
            self.count_before, self.longest_before_ms = self.count, self.longest_ms
            self.since_ms, self.count, self.longest_ms = now_ms, 0, 0
        self.longest_ms = max(self.longest_ms, gap_ms)
        self.count += 1
        self.last_ms = now_ms

    @property
    def gap_ms(self) -> int:
        return max(self.longest_ms, self.longest_before_ms)

    @property
    def beats(self) -> int:
        return self.count + self.count_before


class Pause:
    """For how long in all it was not heard, and since when it is not now."""

    def __init__(self, since_ms: int) -> None:
        self.since_ms: int | None = since_ms
        self._over_ms = 0

    def begin(self, at_ms: int) -> None:
        if self.since_ms is None:
            self.since_ms = at_ms

    def end(self, now_ms: int) -> None:
        self._over_ms, self.since_ms = self.total(now_ms), None

    def lasts(self, now_ms: int) -> int:
        return 0 if self.since_ms is None else now_ms - self.since_ms

    def total(self, now_ms: int) -> int:
        return self._over_ms + self.lasts(now_ms)


class Ear:
    """One receiver's; deaf until `mind` is told that its link is up."""

    def __init__(self, now_ms: int) -> None:
        self.flock = 0
        """How many wearables were last heard here, and are not silent."""
        self.pause = Pause(now_ms)
        self._own, self._wearables = Rhythm(now_ms, now_ms), Rhythm(now_ms, now_ms)
        self._opened_ms = now_ms
        self._up = False

    def hear(self, now_ms: int) -> None:
        """A wearable of the roster was heard."""
        self._beat(self._wearables, now_ms)

    def speak(self, now_ms: int) -> None:
        """The receiver spoke of itself."""
        self._beat(self._own, now_ms)

    def mind(self, now_ms: int, *, up: bool) -> None:
        """See how it stands. What is open and found deaf has been so since it last heard."""
        if up and not self._up:
            self._opened_ms = now_ms
        self._up = up
        if not up:
            self.pause.begin(now_ms)
        elif (since_ms := self._silent_since(now_ms)) is not None:
            self.pause.begin(since_ms)
        else:
            self.pause.end(now_ms)

    @property
    def hears(self) -> bool:
        return self.pause.since_ms is None

    @property
    def mute(self) -> bool:
        """Whether it is deaf although its link is up."""
        return self._up and not self.hears

    def _beat(self, rhythm: Rhythm, now_ms: int) -> None:
        gap_ms = now_ms - max(rhythm.last_ms, self._opened_ms) if self.hears and rhythm.beats else 0
        rhythm.beat(now_ms, gap_ms, HOUR_MS)

    def _silent_since(self, now_ms: int) -> int | None:
        """Since when it has heard nothing, where that is too long."""
        own, wearables = self._own, self._wearables
        last_ms = max(wearables.last_ms, self._opened_ms)
        if self.flock >= FLOCK and wearables.beats >= ENOUGH and _overdue(last_ms, wearables.gap_ms, now_ms):
            return last_ms
        last_ms = max(own.last_ms, last_ms)
        return last_ms if own.beats >= OWN_ENOUGH and _overdue(last_ms, own.gap_ms, now_ms) else None


def _overdue(last_ms: int, gap_ms: int, now_ms: int) -> bool:
    return now_ms - last_ms > max(DEAF_MS, TIMES * gap_ms)


class Ears:
    """Those of all links. A link that is not among them, for it was taken away, hears while any of them does."""

    def __init__(self) -> None:
        self.of: dict[str, Ear] = {}
        self._any = Pause(0)

    def hear(self, link: str, now_ms: int) -> None:
        self._ear(link, now_ms).hear(now_ms)

    def speak(self, link: str, now_ms: int) -> None:
        self._ear(link, now_ms).speak(now_ms)

    def paused(self, link: str | None, now_ms: int) -> int:
        """For how long in all a link has not heard; of none, for how long nobody has."""
        return self._pause(link).total(now_ms)

    def deaf_ms(self, link: str, now_ms: int) -> int:
        """For how long it has not heard by now."""
        return self._pause(link).lasts(now_ms)

    def mind(self, now_ms: int, up: Mapping[str, bool]) -> None:
        """`up`: each link, and whether it is."""
        ears = [self._ear(link, now_ms) for link in up]
        for ear, hears in zip(ears, up.values(), strict=True):
            ear.mind(now_ms, up=hears)
        since = [ear.pause.since_ms for ear in ears if ear.pause.since_ms is not None]
        if len(since) < len(ears):
            self._any.end(now_ms)
        else:
            self._any.begin(max(since, default=now_ms))

    def _pause(self, link: str | None) -> Pause:
        ear = self.of.get(link) if link is not None else None
        return ear.pause if ear is not None else self._any

    def _ear(self, link: str, now_ms: int) -> Ear:
        ear = self.of.get(link)
        if ear is None:
            ear = self.of[link] = Ear(now_ms)
        return ear
