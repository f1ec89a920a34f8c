"""What the disk does to the lanes, as faults and as an alert: seen to once a second."""

import asyncio
from collections.abc import Callable, Sequence

from gateway.disk import Disk
from gateway.forward import Lane
from gateway.health import Faults
from gateway.inputs import Ended, Pressed
from gateway.model import Moment
from gateway.outages import Outages

LOOK_S = 1.0
FAULTS = frozenset({"storage", "disk_full", "file_damaged"})
SOUND = "free space on the data folder, or see whether its disk is sound and may be written"


class Storage:
    def __init__(
        self,
        disk: Disk,
        lanes: Sequence[Lane],
        faults: Faults,
        outages: Outages,
        tell: Callable[[Pressed | Ended], None],
    ) -> None:
        self._disk, self._lanes, self._faults, self._outages, self._tell = disk, lanes, faults, outages, tell

    async def run(self, now: Callable[[], Moment]) -> None:
        """Look and tell until cancelled."""
        while True:
            await asyncio.to_thread(self._disk.look)
            self.mind(now())
            await asyncio.sleep(LOOK_S)

    def mind(self, now: Moment) -> None:
        """Begin and end the faults, and tell what becomes of the alert."""
        for lane in self._lanes:
            trouble = lane.outbox.trouble
            if trouble is None:
                self._faults.end(lane.name, "storage")
            else:
                self._faults.begin("storage", lane.name, f"{trouble}; meanwhile it is kept in memory", SOUND)
        if self._disk.low:
            what = f"{self._disk.folder}: the disk is full; alerts have the last of it"
            self._faults.begin("disk_full", "disk", what, f"free space: see `du -x {self._disk.folder}` and `df`")
        else:
            self._faults.end("disk")
        told = self._outages.see("storage", now, up=all(fault.fault not in FAULTS for fault in self._faults))
        if told is not None:
            self._tell(told)
