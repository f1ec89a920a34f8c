"""The thread of a lane's file: durable on return, nothing on failure, and whatever was asked is done before the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway import outbox as module
from gateway import standby as behind
from gateway.model import Put
from gateway.outbox import GROUP, Outbox
from gateway.standby import Level
from gateway.store import Store
from tests.support.drafts import draft, standby
from tests.support.inside import allow

FULL, AMPLE = 12, 1 << 20
LARGE = "x" * 100_000
opened: dict[Path, Store] = {}


@asynccontextmanager
async def outbox(folder: Path, pages: int = AMPLE) -> AsyncIterator[Outbox]:
    store = Store(folder / "a.db", "aaaa0000")
    allow(store, pages)
    opened[folder] = store
    it = Outbox("a", standby(store))
    try:
        yield it
    finally:
        allow(store, AMPLE)
        await it.close()


def stored(folder: Path) -> list[int]:
    """What another process finds in the file."""
    return [row.seq for row in Store(folder / "a.db", "bbbb0000").read(0, 10_000)]


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def test_what_commit_returned_is_on_the_disk_with_its_records(tmp_path: Path) -> None:
    async def run() -> None:
        async with outbox(tmp_path) as it:
            for number in range(1, 20):
                (row,) = await it.commit([draft(str(number))], [Put("a", "last", str(number).encode())])
                assert row.seq == number
                other = Store(tmp_path / "a.db", "bbbb0000")
                assert [row.seq for row in other.read(0, 100)] == list(range(1, number + 1))
                assert other.records("a") == {"last": str(number).encode()}

    asyncio.run(run())


def test_what_a_full_disk_refuses_is_taken_by_memory_and_goes_to_the_file_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.005)
    monkeypatch.setattr(behind, "MEND_S", 0.01)

    async def run() -> None:
        async with outbox(tmp_path, FULL) as it:
            mended = asyncio.Event()
            it.on_mended = mended.set
            await it.commit([draft("fits")])
            rows = await it.commit([draft("fits too"), draft(LARGE)], [Put("a", "b", b"c")])
            assert [(row.seq, row.id) for row in rows] == [(2, "cccc0000-1"), (3, "cccc0000-2")]
            assert "full" in str(it.trouble)
            assert [row.id for row in await it.read(0, 10)] == ["aaaa0000-1", "cccc0000-1", "cccc0000-2"]
            assert it.standing == ("cccc0000", 3)
            allow(opened[tmp_path], AMPLE)
            async with asyncio.timeout(5):
                await mended.wait()
            assert (it.trouble, it.standing) == (None, ("aaaa0000", 2))
            assert stored(tmp_path) == [1, 2, 3]
            assert Store(tmp_path / "a.db", "bbbb0000").records("a") == {"b": b"c"}

    asyncio.run(run())


def test_what_is_settled_while_the_disk_refuses_leaves_once_it_does_not(tmp_path: Path) -> None:
    async def run() -> None:
        async with outbox(tmp_path) as it:
            await it.commit([draft(), draft()])
            opened[tmp_path]._db.execute("PRAGMA query_only = 1")
            it.settle([1])
            await until(lambda: it.trouble is not None)
            assert [row.seq for row in await it.read(0, 10)] == [1, 2]
            opened[tmp_path]._db.execute("PRAGMA query_only = 0")
            await until(lambda: it.trouble is None)
            assert [row.seq for row in await it.read(0, 10)] == [2]

    asyncio.run(run())


def test_a_read_leaves_out_what_was_settled_before_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with outbox(tmp_path) as it:
            await it.commit([draft() for _ in range(100)])
            for seq in range(1, 100, 2):
                it.settle([seq])
                assert seq not in {row.seq for row in await it.read(0, 100)}
            assert [row.seq for row in await it.read(50, 3)] == [52, 54, 56]

    asyncio.run(run())


def test_closing_finishes_everything_that_was_asked_and_leaves_the_file_clean(tmp_path: Path) -> None:
    async def run() -> None:
        async with outbox(tmp_path) as it:
            commits = [asyncio.create_task(it.commit([draft(str(n))])) for n in range(3 * GROUP)]
            await asyncio.sleep(0)
            it.settle([1, 2])
        rows = [row.seq for (row,) in await asyncio.gather(*commits)]
        assert rows == list(range(1, 3 * GROUP + 1))

    asyncio.run(run())
    again = Store(tmp_path / "a.db", "bbbb0000")
    assert (again.unclean, again.next) == (False, 3 * GROUP + 1)
    assert again.standing.count >= 3 * GROUP - 2


def test_a_caller_that_gave_up_harms_no_other_and_its_rows_are_kept(tmp_path: Path) -> None:
    async def run() -> None:
        async with outbox(tmp_path) as it:
            commits = [asyncio.create_task(it.commit([draft(str(n))])) for n in range(10)]
            await asyncio.sleep(0)
            for impatient in commits[::2]:
                impatient.cancel()
            outcomes = await asyncio.gather(*commits, return_exceptions=True)
            assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, False] * 5
            assert stored(tmp_path) == list(range(1, 11))

    asyncio.run(run())


def test_the_beat_goes_on_while_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.005)

    async def run() -> None:
        async with outbox(tmp_path) as it:
            first = it.beat
            await until(lambda: it.beat > first)
            second = it.beat
            await until(lambda: it.beat > second)

    asyncio.run(run())


def test_the_level_says_how_much_waits_and_since_when(tmp_path: Path) -> None:
    async def run() -> None:
        async with outbox(tmp_path) as it:
            assert it.level == Level(count=0, bytes=0, next=1, oldest_ms=None)
            rows = await it.commit([draft("a"), draft("bb")])
            await until(lambda: it.level.count == 2)
            assert (it.level.bytes, it.level.next) == (sum(row.size for row in rows), 3)
            assert it.level.oldest_ms == rows[0].made_ms
            it.settle([1, 2])
            await until(lambda: it.level.count == 0)
            assert it.level == Level(count=0, bytes=0, next=3, oldest_ms=None)

    asyncio.run(run())
