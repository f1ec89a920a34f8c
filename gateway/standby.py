"""A lane's file, and the memory that stands in for it while the disk refuses. Blocking; one thread's.

What memory takes is numbered in an epoch of its own, because nobody could say after a crash which numbers of the
file's were given. It goes over to the file, as it is, once the disk takes it.
"""

import time
from collections.abc import Callable, Sequence
from itertools import takewhile

import msgspec

from gateway.errors import StorageFailed, StorageFull, StoreDamaged
from gateway.model import Change, Draft
from gateway.rows import Row
from gateway.store import Store

MEND_S = 1.0
"""Between two attempts to get from memory back to the disk."""
MEMORY_CAP = 8 << 20
"""Bytes that a lane with a cap keeps in memory at most."""
UNKNOWN = -(1 << 62)
"""Where places begin in memory while nobody knows which ones the file has given: before all of its own."""
ALL = 1 << 40
APART = 1 << 20
"""Places that memory leaves to the file of a lane with a cap: it may yet be thinned, to make room."""
STRIDE = 4 << 20
"""Bytes of rows that are given up at once at most …"""
CAREFUL = 1 << 20
"""… and where the disk is full: what is thinned stands beside what it is of for a moment."""


class Level(msgspec.Struct, frozen=True):
    """How full an outbox is."""

    count: int
    bytes: int
    next: int
    oldest_ms: int | None


class Upkeep(msgspec.Struct, frozen=True):
    """What keeps an outbox going, each called on its thread."""

    shed: Callable[[Sequence[Row]], list[Draft]]
    """The gaps that stand for rows given up."""
    thin: Callable[[Sequence[Row]], list[Draft] | None]
    """Fewer and the gaps, in place of rows of one topic; None where they would take nearly as much room."""
    epoch: Callable[[], str]
    reopen: Callable[[int], tuple[Store, list[Draft]]]
    """The file again, giving places from this one on, and the gaps for what could not be saved of it. StorageFailed."""
    relieve: Callable[[], bool] = lambda: False
    """Make room on a full disk; whether there is any now."""
    spared: Callable[[], bool] = lambda: False
    """Whether the disk's last room is not for this lane."""


class Standby:
    """`write` and `read` work whatever the disk does; `trouble` says what that is."""

    def __init__(self, store: Store | None, cap: int | None, upkeep: Upkeep, refused: str = "") -> None:
        """`store` None: the disk has `refused` it, and memory takes its place from the beginning."""
        self._disk = store
        self._memory: Store | None = None
        self.taking: Store = store or self._stand_in(upkeep, UNKNOWN)
        """Where the next row goes."""
        self.before = 0 if store else UNKNOWN - 1
        """Every row's place is above this."""
        self._cap = cap
        self._upkeep = upkeep
        self._owed: dict[tuple[str, str], Change] = {}
        """Changes of records that the disk has yet to take."""
        self._late: set[int] = set()
        """Settled rows that the disk has yet to delete."""
        self.trouble = None if store else StorageFailed(refused)
        """Why the disk took nothing when it was last written; None while it does."""

    @property
    def _stores(self) -> list[Store]:
        return [store for store in (self._disk, self._memory) if store is not None]

    @property
    def last(self) -> int:
        """The last place that was given."""
        return max(store.standing.place for store in self._stores) - 1

    def write(self, drafts: Sequence[Draft], changes: Sequence[Change], settled: set[int]) -> list[Row]:
        """On the disk, or else in memory. StorageFailed: the disk refuses, and nothing is asked that could not wait."""
        if self._memory is None:
            try:
                rows = self._write_disk(drafts, changes, settled)
            except StorageFailed as error:
                self.trouble = error
                if not (drafts or changes):
                    raise
                self._stand_in(self._upkeep, self.taking.standing.place + (APART if self._cap else 0))
            else:
                self.trouble = None
                return rows
        self._owed |= {(change.space, change.key): change for change in changes}
        self._late |= {seq for seq in settled if not self._began <= seq < self.taking.standing.place}
        return self.taking.write(drafts, (), settled, _wall_ms())

    def _write_disk(self, drafts: Sequence[Draft], changes: Sequence[Change], settled: set[int]) -> list[Row]:
        """StorageFailed: neither more room nor a new file has helped."""
        disk = self._disk
        if disk is None or (drafts and self._upkeep.spared()):
            raise StorageFull("the disk is full: what room it has is kept for alerts")
        try:
            return disk.write(drafts, changes, settled, _wall_ms())
        except StorageFull:
            if not self._upkeep.relieve():
                raise
        except StoreDamaged:
            disk = self._begin_anew(disk)
        return disk.write(drafts, changes, settled, _wall_ms())

    def _begin_anew(self, damaged: Store) -> Store:
        """Leave a damaged file for one with all that could be saved of it."""
        damaged.abandon()
        self._disk, gaps = self._upkeep.reopen(damaged.standing.place)
        self.taking = self._disk
        self._disk.write(gaps, (), (), _wall_ms())
        return self._disk

    def _stand_in(self, upkeep: Upkeep, place: int) -> Store:
        self._began = place
        self.taking = self._memory = Store(None, upkeep.epoch(), place=place)
        self._mend_at = time.monotonic() + MEND_S
        return self._memory

    def mend(self, *, at_once: bool = False) -> bool:
        """Bring what is in memory to the disk, now and then or `at_once`; whether that is done."""
        if self._memory is None or not (at_once or time.monotonic() >= self._mend_at):
            return False
        self._mend_at = time.monotonic() + MEND_S
        if self._upkeep.spared():
            return False
        try:
            self._go_over(self._memory)
        except StorageFailed as error:
            self.trouble = error
            return False
        return True

    def _go_over(self, memory: Store) -> None:
        gaps: list[Draft] = []
        if self._disk is None or isinstance(self.trouble, StoreDamaged):
            if self._disk is not None:
                self._disk.abandon()
                self._disk = None
            self._disk, gaps = self._upkeep.reopen(max(1, memory.standing.place))
        self._disk.adopt(memory.read(UNKNOWN - 1, ALL), self._owed.values(), self._late)
        self._disk.write(gaps, (), (), _wall_ms())
        self._memory, self.taking = None, self._disk
        self._owed, self._late, self.trouble = {}, set(), None
        memory.abandon()

    def give_back(self) -> bool:
        """Return free space to the disk, a little at a time; whether there is more."""
        try:
            return self._disk is not None and self._memory is None and self._disk.give_back()
        except StorageFailed as error:
            self.trouble = error
            return False

    def hold(self) -> bool:
        """Hold the cap; whether rows have come to stand before others. What fails here is tried again next time."""
        held = False
        if self._cap is None:
            return held
        for store in self._stores:
            try:
                held |= self._make_room(store, self._cap) and store is not self.taking
            except StorageFailed as error:
                self.trouble = error
        return held

    def close(self) -> None:
        """Leave the file cleanly. StorageFailed where it cannot be, or where rows are in memory alone."""
        lost = self._memory.standing.count if self._memory is not None else 0
        if self._disk is not None:
            self._disk.close()
        if lost:
            raise StorageFailed(f"{lost} messages were in memory alone ({self.trouble})")

    def _surplus(self, store: Store, cap: int) -> tuple[int, int]:
        """What a file must give up, and how much of that at once. On a disk that is full all that it has gives way."""
        used = store.used
        if store is not self._memory and self._upkeep.spared():
            return (min(used // 10, STRIDE) if used > MEMORY_CAP else 0), CAREFUL
        room = MEMORY_CAP if store is self._memory else cap * 8 // 10 - store.log_max
        stride = min(room // 5, STRIDE)
        return (used - room + stride if used > room else 0), stride

    def _make_room(self, store: Store, cap: int) -> bool:
        """Thin the oldest, or give them up where they are thin; whether there was need to."""
        surplus, stride = self._surplus(store, cap)
        if surplus and store is self._disk and self._late:
            store.adopt((), (), self._late)
            self._late = set()
        goal = store.used - surplus
        while store.used > goal and (self._thin(store, stride) or self._shed(store, min(store.used - goal, stride))):
            while store is self._disk and store.give_back():
                pass
        return surplus > 0

    def _thin(self, store: Store, size: int) -> bool:
        rows = store.oldest(size)
        alike = list(takewhile(lambda row: row.topic == rows[0].topic, rows))
        drafts = self._upkeep.thin(alike)
        if drafts is None:
            return False
        try:
            self._replace(store, alike, drafts)
        except StorageFull:
            return False
        return True

    def _shed(self, store: Store, size: int) -> bool:
        rows = store.oldest(size, thinned=True) or store.oldest(size)
        if rows:
            self._replace(store, rows, self._upkeep.shed(rows))
        return bool(rows)

    @staticmethod
    def _replace(store: Store, rows: Sequence[Row], drafts: Sequence[Draft]) -> None:
        store.write(drafts, (), [row.seq for row in rows], _wall_ms())

    def read(self, after: int, limit: int) -> list[Row]:
        """Rows above `after`, oldest first. StorageFailed: the disk cannot be read, and nothing is in memory."""
        found: list[Row] = []
        try:
            found = self._read_disk(after, limit)
        except StorageFailed:
            if self._memory is None:
                raise
        if self._memory is not None:
            found += self._memory.read(after, limit)
        return sorted(found, key=lambda row: row.seq)[:limit]

    def _read_disk(self, after: int, limit: int) -> list[Row]:
        if self._disk is None:
            return []
        try:
            found = self._disk.read(after, limit)
        except StoreDamaged as error:
            if self._memory is not None:
                self.trouble = error  # mended together
                raise
            found = self._begin_anew(self._disk).read(after, limit)
        waiting = [row for row in found if row.seq not in self._late]
        return waiting if waiting or not found else self._read_disk(found[-1].seq, limit)

    def level(self) -> Level:
        stores = self._stores
        since = [made for store in stores if (made := store.oldest_ms()) is not None]
        count, size = (
            sum(store.standing.count for store in stores) - len(self._late),
            sum(store.standing.bytes for store in stores),
        )
        return Level(count, size, self.taking.next, min(since, default=None))


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
