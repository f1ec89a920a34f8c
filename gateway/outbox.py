"""A lane's file with a thread of its own: every commit that waits when the thread is free shares one fsync."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from gateway.errors import StorageFailed
from gateway.model import Change, Draft
from gateway.rows import Row
from gateway.standby import Level, Standby

IDLE_S = 1.0
BUSY_S = 0.01
"""Between two turns while there is free space to be given back."""
GROUP = 256
"""Commits that share one transaction at most, so that the first of a flood is not kept by the last."""


class _Commit(msgspec.Struct, frozen=True, eq=False):
    drafts: Sequence[Draft]
    changes: Sequence[Change]
    done: "asyncio.Future[list[Row]]"


class _Read(msgspec.Struct, frozen=True, eq=False):
    after: int
    limit: int
    done: "asyncio.Future[list[Row]]"


_Outcome = list[tuple["asyncio.Future[list[Row]]", list[Row] | StorageFailed]]


class Outbox:
    """`commit`, `read` and `settle` are called on the event loop; the file is touched by the thread alone."""

    def __init__(self, name: str, standby: Standby) -> None:
        self._rows = standby
        self._loop = asyncio.get_running_loop()
        self._wanted: deque[_Commit | _Read] = deque()
        self._settled: set[int] = set()
        self._lock = threading.Condition()
        self._closing = False
        self._failed: StorageFailed | None = None
        self.on_mended: Callable[[], None] = lambda: None
        """Called on the loop when rows are there that were out of reach."""
        self.beat = time.monotonic()
        """When the thread last came round: it stands still while the disk does."""
        self.level: Level = standby.level()
        self._thread = threading.Thread(target=self._work, name=f"outbox {name}", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> StorageFailed | None:
        """Why the disk took nothing when it was last written, so that all is in memory; None while it does."""
        return self._rows.trouble

    @property
    def standing(self) -> tuple[str, int]:
        """The epoch, and the number that the next row will have."""
        now = self._rows.taking.standing
        return now.epoch, now.next

    @property
    def epoch(self) -> str:
        return self.standing[0]

    @property
    def before(self) -> int:
        """Every row's place is above this."""
        return self._rows.before

    @property
    def last(self) -> int:
        """The last place that was given."""
        return self._rows.last

    async def commit(self, drafts: Sequence[Draft], changes: Sequence[Change] = ()) -> list[Row]:
        """Number, freeze and store. Durable on return, unless there is `trouble`."""
        done: asyncio.Future[list[Row]] = self._loop.create_future()
        self._want(_Commit(drafts, changes, done))
        return await done

    async def read(self, after: int, limit: int) -> list[Row]:
        """Rows above `after`, oldest first, without those settled before this call."""
        done: asyncio.Future[list[Row]] = self._loop.create_future()
        self._want(_Read(after, limit, done))
        return await done

    def settle(self, seqs: Sequence[int]) -> None:
        """Let these rows leave, soon: a crash before that sends them again under the same number."""
        with self._lock:
            self._settled.update(seqs)
            self._lock.notify()

    async def close(self) -> None:
        """Finish what was asked, mark the file as cleanly left, end the thread."""
        with self._lock:
            self._closing = True
            self._lock.notify()
        await asyncio.to_thread(self._thread.join)
        if self._failed is not None:
            raise self._failed

    def _want(self, wanted: _Commit | _Read) -> None:
        with self._lock:
            self._wanted.append(wanted)
            self._lock.notify()

    def _work(self) -> None:
        idle_s = IDLE_S
        while True:
            with self._lock:
                if not (self._wanted or self._settled or self._closing):
                    self._lock.wait(idle_s)
                taken = [self._wanted.popleft() for _ in range(min(GROUP, len(self._wanted)))]
                settled, self._settled = self._settled, set()
                last = self._closing and not self._wanted
            self._serve(taken, settled)
            if self._rows.mend(at_once=last):
                self._loop.call_soon_threadsafe(self.on_mended)
            idle_s = BUSY_S if not taken and self._rows.give_back() else IDLE_S
            self.beat = time.monotonic()
            if last:
                break
        try:
            self._rows.close()
        except StorageFailed as error:
            self._failed = error

    def _serve(self, taken: list[_Commit | _Read], settled: set[int]) -> None:
        commits = [wanted for wanted in taken if isinstance(wanted, _Commit)]
        outcome: _Outcome = []
        if commits or settled:
            outcome += self._write(commits, settled)
        for wanted in taken:
            if isinstance(wanted, _Read):
                outcome.append((wanted.done, self._found(wanted)))
        if outcome:
            self._loop.call_soon_threadsafe(_answer, outcome)
        if commits or settled:
            if self._rows.hold():
                self._loop.call_soon_threadsafe(self.on_mended)
            self.level = self._rows.level()

    def _write(self, commits: list[_Commit], settled: set[int]) -> _Outcome:
        drafts = [draft for commit in commits for draft in commit.drafts]
        changes = [change for commit in commits for change in commit.changes]
        try:
            rows = iter(self._rows.write(drafts, changes, settled))
        except StorageFailed as error:
            with self._lock:
                self._settled |= settled
            time.sleep(0.05)  # a failing disk must not be hammered: what is settled comes round at once
            return [(commit.done, error) for commit in commits]
        return [(commit.done, [next(rows) for _ in commit.drafts]) for commit in commits]

    def _found(self, wanted: _Read) -> list[Row] | StorageFailed:
        try:
            return self._rows.read(wanted.after, wanted.limit)
        except StorageFailed as error:
            return error


def _answer(outcome: _Outcome) -> None:
    for done, result in outcome:
        if done.cancelled():
            continue
        if isinstance(result, StorageFailed):
            done.set_exception(result)
        else:
            done.set_result(result)
