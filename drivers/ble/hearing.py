"""Whether an adapter still hears. Pure: adverts and the boot clock's milliseconds go in, a judgement comes out.

Silence alone proves nothing: a station may be empty. With a witness (another radio hears, BlueZ reports an error, a
station beacon is missing) it is deafness soon; without one only after what was never silent before.
"""

UNLEARNED_MS = 30_000
"""The gap taken for normal before enough was heard to learn it."""
ENOUGH = 20
"""Adverts after which the gaps between them mean something."""
WITNESSED_LEAST_MS, WITNESSED_MOST_MS = 10_000, 25_000
"""Silence that is deafness where there is a witness; the second bound keeps the ladder's start within 30 s."""
ALONE_LEAST_MS, BUSY_MOST_MS = 30_000, 90_000
TIMES = 3
"""How many times the longest normal gap a silence must last."""
AGE_MS = 3_600_000
"""Gaps are learned by the hour; those of this and of the last hour count."""


class _Learned:
    """What one hour taught."""

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self.count = 0
        self.gap_ms = 0


class Hearing:
    """Of one adapter, over all its scans. `last_ms` is when it last heard, or when the present scan began."""

    def __init__(self, now_ms: int) -> None:
        self.last_ms = now_ms
        self.heard = 0
        self._now, self._before = _Learned(now_ms), _Learned(now_ms)

    def begin(self, now_ms: int) -> None:
        """A scan begins: the silence before it counts no more."""
        self.last_ms, self.heard = now_ms, 0

    def advert(self, now_ms: int) -> None:
        learned = self._now
        if now_ms - learned.since_ms >= AGE_MS:
            self._before, self._now = learned, _Learned(now_ms)
            learned = self._now
        gap = now_ms - self.last_ms
        if gap > learned.gap_ms and self.heard:
            learned.gap_ms = gap
        learned.count += 1
        self.heard += 1
        self.last_ms = now_ms

    def silence(self, now_ms: int) -> int:
        return now_ms - self.last_ms

    @property
    def gap_ms(self) -> int:
        """The longest gap between two adverts that is normal here."""
        if self._count < ENOUGH:
            return UNLEARNED_MS
        return max(self._now.gap_ms, self._before.gap_ms)

    @property
    def busy(self) -> bool:
        """Whether this adapter normally hears an advert a second or more."""
        count = self._count
        return count >= ENOUGH and count * 1000 >= self.last_ms - min(self._before.since_ms, self._now.since_ms)

    def deaf(self, now_ms: int, *, witnessed: bool) -> bool:
        """Whether the present silence is too long."""
        return self.silence(now_ms) >= self._patience(witnessed=witnessed)

    def neighbour_counts(self) -> bool:
        """Whether another radio's hearing says anything about this one.

        It does where this one would normally have heard by then, or has never heard anything at all.
        """
        return self._count == 0 or TIMES * self.gap_ms <= WITNESSED_MOST_MS

    @property
    def _count(self) -> int:
        return self._now.count + self._before.count

    def _patience(self, *, witnessed: bool) -> int:
        long = TIMES * self.gap_ms
        if witnessed:
            return min(max(long, WITNESSED_LEAST_MS), WITNESSED_MOST_MS)
        patience = max(long, ALONE_LEAST_MS)
        return min(patience, BUSY_MOST_MS) if self.busy else patience
