"""The inside half to test with: a clock that goes only when told to, and real lanes on real files."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from drivers.base import Instant
from gateway.alerts import Rules
from gateway.book import Book, FloodLimit
from gateway.chronicle import Chronicle
from gateway.clock import Clock
from gateway.desk import Desk
from gateway.forward import Lane, Window, Witness
from gateway.health import Faults
from gateway.identity import unique_id
from gateway.inputs import Pressed
from gateway.model import Alert, AlertKey, AlertKind, Heard, Press, Put, Wearable
from gateway.outbox import Outbox
from gateway.store import Store
from gateway.story import StoryLine
from gateway.wire import Wire
from tests.support import contract
from tests.support.drafts import standby
from tests.support.moments import BOOT, moment


class StillClock(Clock):
    """Shows `ms` after the tests' beginning until `ms` is set anew."""

    def __init__(self, ms: int = 0, *, synced: bool = True) -> None:
        super().__init__(BOOT)
        self.ms = ms
        self.synced = synced

    def now(self) -> Instant:
        at = moment(self.ms)
        return Instant(at.wall_ms, at.mono_ms)

    def refresh(self) -> bool:
        return False


def make_wire(clock: Clock) -> Wire:
    return Wire("398/v1", "test-01", "0.1.0", clock)


@asynccontextmanager
async def open_lane(
    folder: Path, name: str = "alert", *, pages: int | None = None, witness: Witness | None = None
) -> AsyncIterator[Lane]:
    """A lane on `folder/name.db` that sends on without answers; `pages` is how large the disk lets the file grow."""
    store = Store(folder / f"{name}.db", "aaaa0000")
    if pages is not None:
        allow(store, pages)
    outbox = Outbox(name, standby(store))
    lane = Lane(name, outbox, Window(patience_s=None), store.subjects(), lambda _: None, witness)
    try:
        yield lane
    finally:
        allow(store, 1 << 20)
        await lane.close()


def allow(store: Store, pages: int) -> None:
    """Make the disk as large as that; beyond it SQLite says that it is full."""
    store._db.execute(f"PRAGMA max_page_count = {pages}")


class Office:
    """A desk with its book, lane and wire, without its task: what is put is taken by `settle`."""

    def __init__(self, lane: Lane, clock: StillClock, chronicle: Chronicle, told: list[StoryLine]) -> None:
        self.lane, self.clock, self.wire = lane, clock, make_wire(clock)
        self.chronicle, self.told = chronicle, told
        self.faults = Faults(clock.moment)
        self.accepted: list[Alert] = []
        self.book = Book(Rules(), FloodLimit())
        self.desk = Desk(self.book, lane, self.wire, clock, chronicle, self.accepted.append)

    async def messages(self) -> list[dict[str, Any]]:
        """Everything in the lane's file, held against the contract."""
        rows = await self.lane.outbox.read(0, 100_000)
        for row in rows:
            contract.check(row.topic, row.payload)
        return [json.loads(row.payload)["data"] for row in rows]


@asynccontextmanager
async def open_office(folder: Path, *, pages: int | None = None) -> AsyncIterator[Office]:
    told: list[StoryLine] = []
    clock = StillClock()
    chronicle = Chronicle(told.append, recorded, clock.moment)
    async with open_lane(folder, pages=pages, witness=chronicle) as lane:
        yield Office(lane, clock, chronicle, told)


def recorded(link: str, device: str, *, registered: bool) -> str:
    """Stands for the flight recorder."""
    return f"{link}-{device}-{registered}.jsonl"


def sos(number: int = 1, ms: int = 0, link: str = "serial:a") -> Pressed:
    """A press of the wearable of that number."""
    who = Wearable(f"{number:08x}", f"band-{number:04}", f"w-{number:04}")
    key = AlertKey(who.subject, AlertKind.SOS, None, test=False)
    change = Put("device", who.address, b"seen")
    at = moment(ms)
    new_id = unique_id(Instant(at.wall_ms, at.mono_ms), number.to_bytes(10))
    return Pressed(key, who, Press(None, at), Heard(link, -60), new_id, change=change)
