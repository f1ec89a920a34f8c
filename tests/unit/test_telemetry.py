"""Readings gather in memory for a moment, reach the disk in batches, and what must be given up is counted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from gateway import telemetry as module
from gateway.forward import Lane
from gateway.model import Put, Sample, Wearable
from gateway.store import Store
from gateway.telemetry import Grouping, Telemetry
from tests.support import contract
from tests.support.inside import StillClock, make_wire, open_lane
from tests.support.moments import moment

BAND = Wearable("00010203", "band-0001", "w-7f3a")
NEVER_S = 3600.0


def sample(number: int) -> Sample:
    return Sample(BAND, moment(number), {"steps": number})


class Gathering:
    def __init__(self, lane: Lane, grouping: Grouping) -> None:
        clock = StillClock()
        self.lane = lane
        self.telemetry = Telemetry(lane, make_wire(clock), clock, grouping)

    def add(self, *numbers: int) -> None:
        for number in numbers:
            self.telemetry.add(sample(number))

    async def messages(self) -> list[dict[str, Any]]:
        rows = await self.lane.outbox.read(0, 10_000)
        for row in rows:
            contract.check(row.topic, row.payload)
        return [json.loads(row.payload)["data"] for row in rows]

    async def batches(self) -> list[list[int]]:
        """The samples of each telemetry message."""
        told = [message["readings"] for message in await self.messages() if "readings" in message]
        return [[reading["values"]["steps"] for reading in readings] for readings in told]


@asynccontextmanager
async def gathering(
    folder: Path, grouping: Grouping | None = None, *, pages: int | None = None
) -> AsyncIterator[Gathering]:
    async with open_lane(folder, "telemetry", pages=pages) as lane:
        yield Gathering(lane, grouping or Grouping(every_s=NEVER_S))


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


def test_a_group_is_cut_into_batches_in_order_and_committed_together(tmp_path: Path) -> None:
    async def run() -> None:
        async with gathering(tmp_path, Grouping(NEVER_S, batch=100)) as it:
            it.add(*range(250))
            await it.telemetry.commit()
            assert await it.batches() == [list(range(100)), list(range(100, 200)), list(range(200, 250))]
            await it.telemetry.commit()
            assert len(await it.batches()) == 3

    asyncio.run(run())


def test_what_is_kept_with_the_readings_is_on_the_disk_with_them_and_the_latest_of_a_kind_counts(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with gathering(tmp_path) as it:
            it.add(1)
            for value in (b"5", b"6"):
                it.telemetry.keep(Put("number", "00010203", value))
            it.telemetry.keep(Put("number", "00010204", b"1"))
            await it.telemetry.commit()
            other = Store(tmp_path / "telemetry.db", "bbbb0000")
            assert (len(other.read(0, 10)), other.records("number")) == (1, {"00010203": b"6", "00010204": b"1"})
            it.telemetry.keep(Put("number", "00010203", b"7"))
            await it.telemetry.commit()
            assert (len(other.read(0, 10)), other.records("number")["00010203"]) == (1, b"7")

    asyncio.run(run())


def test_a_full_group_does_not_wait_for_its_time(tmp_path: Path) -> None:
    async def run() -> None:
        async with gathering(tmp_path, Grouping(NEVER_S, readings=50)) as it:
            running = asyncio.create_task(it.telemetry.run())
            it.add(*range(49))
            await asyncio.sleep(0.02)
            assert it.lane.events == 0
            it.add(49)
            await until(lambda: it.lane.events == 1)
            running.cancel()
            assert await it.batches() == [list(range(50))]

    asyncio.run(run())


def test_a_group_that_does_not_fill_is_committed_after_its_time(tmp_path: Path) -> None:
    async def run() -> None:
        async with gathering(tmp_path, Grouping(0.01)) as it:
            running = asyncio.create_task(it.telemetry.run())
            for number in range(3):
                it.add(number)
                await until(lambda: it.lane.events == len(seen) + 1)
                seen.append(number)
            running.cancel()
            assert await it.batches() == [[0], [1], [2]]

    seen: list[int] = []
    asyncio.run(run())


def test_beyond_what_memory_holds_the_oldest_are_given_up_and_counted_in_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD", 1_000)

    async def run() -> None:
        async with gathering(tmp_path) as it:
            it.add(*range(1_025))
            await it.telemetry.commit()
            gap, *_ = await it.messages()
            assert (gap["cause"], gap["first"], gap["last"], gap["count"]) == ("shed", None, None, 25)
            assert list(chain.from_iterable(await it.batches())) == list(range(25, 1_025))
            it.add(1)
            await it.telemetry.commit()
            assert [message["cause"] for message in await it.messages() if "cause" in message] == ["shed"]

    asyncio.run(run())
