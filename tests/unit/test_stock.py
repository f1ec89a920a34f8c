"""What a lane holds and what is refused, told alike by the running lane and by its file alone."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway import stock
from gateway.aside import SPACE, read
from gateway.errors import RequestRefused
from gateway.forward import Lane
from gateway.salvage import BEFORE_ALL, kept, tally, waiting
from tests.support.drafts import Broker, draft
from tests.support.inside import open_lane

EPOCH = "aaaa0000"


async def refused(lane: Lane, seq: int) -> None:
    """Turn a row away as a broker does."""
    lane.sideline.strike((await lane.outbox.read(seq - 1, 1))[0], 0x87, "Not authorized")


def test_refused_rows_are_listed_and_offered_by_their_id_or_all_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_lane(tmp_path) as lane:
            lanes, broker = {"alert": lane}, Broker()
            lane.attach(broker)
            await lane.commit([draft("a", "alert-1"), draft("b", "alert-2"), draft("c", "alert-3")])
            for seq in (1, 2):
                await refused(lane, seq)
            (told,) = stock.told(lanes)["lanes"]
            assert [(row["id"], row["state"], row["code"]) for row in told["rows"]] == [
                (f"{EPOCH}-1", "refused", 0x87), (f"{EPOCH}-2", "refused", 0x87)
            ]  # fmt: skip
            assert stock.retried(lanes, f"{EPOCH}-2") == {"rows": [f"{EPOCH}-2"]}
            assert stock.retried(lanes, stock.ALL) == {"rows": [f"{EPOCH}-1", f"{EPOCH}-2"]}
            assert len(lane.sideline) == 0
            for wrong in (f"{EPOCH}-3", "bbbb0000-1", "1", ""):
                with pytest.raises(RequestRefused, match="no row of this id"):
                    stock.retried(lanes, wrong)

    asyncio.run(run())


def test_a_lane_is_exported_whole_page_by_page_and_the_same_from_its_file(tmp_path: Path) -> None:
    async def run() -> None:
        count = 2 * stock.PAGE + 7
        async with open_lane(tmp_path) as lane:
            await lane.commit([draft(str(number)) for number in range(count)])
            pages: list[dict[str, Any]] = []
            after: int | None = 0
            while after is not None:
                pages.append(await stock.exported({"alert": lane}, "alert", after))
                path = tmp_path / "alert.db"
                aside = [each.row for each in read(kept(path, SPACE))]
                assert stock.page(aside, waiting(path, after or BEFORE_ALL, stock.PAGE), after) == pages[-1]
                after = pages[-1]["next"]
            rows = [row for page in pages for row in page["rows"]]
            assert [row["id"] for row in rows] == [f"{EPOCH}-{seq}" for seq in range(1, count + 1)]
            assert rows[4]["payload"] == f"{EPOCH}-5 4"
            assert tally(path).count == count
            with pytest.raises(RequestRefused, match="the lanes are alert"):
                await stock.exported({"alert": lane}, "telemetry", 0)

    asyncio.run(run())
