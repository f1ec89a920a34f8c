"""What the disk does is a named fault and one alert, both of which end with it."""

import asyncio
from pathlib import Path

from gateway.disk import Disk
from gateway.health import Faults
from gateway.inputs import Ended, Pressed
from gateway.model import AlertKind
from gateway.outages import Outages
from gateway.storage import Storage
from tests.support.drafts import draft
from tests.support.inside import StillClock, allow, open_lane


def test_trouble_is_a_fault_and_an_alert_until_it_is_over(tmp_path: Path) -> None:
    async def run() -> None:
        clock, told = StillClock(), list[Pressed | Ended]()
        faults, disk = Faults(clock.moment), Disk(tmp_path)
        outages = Outages(0, lambda: "id", AlertKind.STORAGE_DEGRADED)
        async with open_lane(tmp_path) as lane:
            storage = Storage(disk, [lane], faults, outages, told.append)
            storage.mind(clock.moment())
            assert [type(each) for each in told] == [Ended]  # one of before a restart may still be open
            allow(lane.outbox._rows.taking, 1)
            await lane.commit([draft("x" * 100_000)])
            disk.low = True
            storage.mind(clock.moment())
            assert {(fault.fault, fault.where) for fault in faults} == {("storage", "alert"), ("disk_full", "disk")}
            (pressed,) = told[1:]
            assert isinstance(pressed, Pressed)
            assert (pressed.key.kind, pressed.key.subject, pressed.heard) == (
                AlertKind.STORAGE_DEGRADED, "box:storage", None
            )  # fmt: skip
            disk.low = False
            lane.outbox._rows.trouble = None
            storage.mind(clock.moment())
            assert (list(faults), type(told[-1])) == ([], Ended)

    asyncio.run(run())
