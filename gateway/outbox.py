"""A lane's file with a thread of its own: every commit that waits when the thread is free shares one fsync."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from gateway.errors import StorageFailed
from gateway.model import Change, Draft
from gateway.store import Row, Store

IDLE_S = 1.0
GROUP = 256
"""Commits that share one transaction at most, so that the first of a flood is not kept by the last."""


class Level(msgspec.Struct, frozen=True):
    """How full an outbox is."""

    count: int
    bytes: int
    next: int
    oldest_ms: int | None


class _Commit(msgspec.Struct, frozen=True, eq=False):
    drafts: Sequence[Draft]
    changes: Sequence[Change]
    done: "asyncio.Future[list[Row]]"


class _Read(msgspec.Struct, frozen=True, eq=False):
    after: int
    limit: int
    done: "asyncio.Future[list[Row]]"


ShedDraft = Callable[[str, list[int]], Draft]
"""The gap that stands for rows given up: lane epoch and their numbers."""


class Outbox:
    """`commit`, `read` and `settle` are called on the event loop; the file is touched by the thread alone."""

    def __init__(self, store: Store, cap: int | None, shed: ShedDraft) -> None:
        self._store = store
        self._cap = cap
        self._shed = shed
        self._loop = asyncio.get_running_loop()
        self._wanted: deque[_Commit | _Read] = deque()
        self._settled: set[int] = set()
        self._lock = threading.Condition()
        self._closing = False
        self._failed: StorageFailed | None = None
        self.trouble: StorageFailed | None = None
        """Why the file took nothing when it was last written; None while it does."""
        self.beat = time.monotonic()
        """When the thread last came round: it stands still while the disk does."""
        self.level = self._measure()
        self._thread = threading.Thread(target=self._work, name=f"outbox {store.path.stem}", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        return self._store.path

    @property
    def epoch(self) -> str:
        return self._store.epoch

    async def commit(self, drafts: Sequence[Draft], changes: Sequence[Change] = ()) -> list[Row]:
        """Number, freeze and store; durable on return. StorageFailed: nothing of it was stored."""
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
        while True:
            with self._lock:
                if not (self._wanted or self._settled or self._closing):
                    self._lock.wait(IDLE_S)
                taken = [self._wanted.popleft() for _ in range(min(GROUP, len(self._wanted)))]
                settled, self._settled = self._settled, set()
                last = self._closing and not self._wanted
            self._serve(taken, settled)
            self.beat = time.monotonic()
            if last:
                break
        try:
            self._store.close()
        except StorageFailed as error:
            self._failed = error

    def _serve(self, taken: list[_Commit | _Read], settled: set[int]) -> None:
        commits = [wanted for wanted in taken if isinstance(wanted, _Commit)]
        outcome: list[tuple[asyncio.Future[list[Row]], list[Row] | StorageFailed]] = []
        try:
            outcome += self._write(commits, settled)
            self.trouble = None
        except StorageFailed as error:
            with self._lock:
                self._settled |= settled
            outcome += [(commit.done, error) for commit in commits]
            self.trouble = error
            time.sleep(0.05)  # a failing disk must not be hammered: what is settled comes round at once
        for wanted in taken:
            if isinstance(wanted, _Read):
                outcome.append((wanted.done, self._rows(wanted)))
        if outcome:
            self._loop.call_soon_threadsafe(_answer, outcome)
        if commits or settled:
            self._tidy()

    def _write(
        self, commits: list[_Commit], settled: set[int]
    ) -> list[tuple[asyncio.Future[list[Row]], list[Row] | StorageFailed]]:
        if not (commits or settled):
            return []
        drafts = [draft for commit in commits for draft in commit.drafts]
        changes = [change for commit in commits for change in commit.changes]
        rows = iter(self._store.write(drafts, changes, settled, _wall_ms()))
        answers = [(commit.done, [next(rows) for _ in commit.drafts]) for commit in commits]
        return list(answers)

    def _tidy(self) -> None:
        """Hold the cap and take stock. What fails here fails no commit; it is tried again after the next one."""
        try:
            if self._cap is not None and (excess := self._store.excess(self._cap)):
                self._store.write([self._shed(self._store.epoch, excess)], (), excess, _wall_ms())
            self.level = self._measure()
        except StorageFailed as error:
            self.trouble = error

    def _rows(self, wanted: _Read) -> list[Row] | StorageFailed:
        try:
            return self._store.read(wanted.after, wanted.limit)
        except StorageFailed as error:
            return error

    def _measure(self) -> Level:
        store = self._store
        return Level(store.count, store.bytes, store.next, store.oldest_ms() if store.count else None)


def _answer(outcome: list[tuple["asyncio.Future[list[Row]]", list[Row] | StorageFailed]]) -> None:
    for done, result in outcome:
        if done.cancelled():
            continue
        if isinstance(result, StorageFailed):
            done.set_exception(result)
        else:
            done.set_result(result)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
