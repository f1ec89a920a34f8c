"""The way of an advert from bleak's callback to its meaning, joined as the daemon joins it; commits are counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from drivers.base import Instant
from drivers.ble.adverts import spelt
from drivers.ble.radio import Radio
from drivers.ble.scan import Advertised
from drivers.ble.station import Options
from drivers.registry import Profiles
from gateway.alerts import Rules
from gateway.book import Book, FloodLimit, Page
from gateway.cli.street import ADVERT_PREFIX, COMPANY
from gateway.clock import Clock
from gateway.counters import Counters
from gateway.desk import Desk
from gateway.episodes import Episodes
from gateway.evidence import Evidence
from gateway.health import Faults
from gateway.inputs import Input
from gateway.links import station_of
from gateway.model import Change, Sample
from gateway.normalise import Normaliser, Remember, Secrets
from gateway.pipeline import Pipeline
from gateway.quarantine import Quarantine
from gateway.recorder import Recorder
from gateway.roster import Device, Roster
from gateway.telemetry import Telemetry
from gateway.writes import Replies
from tests.support.daemon import address
from tests.support.radio import Machine, Street

LINK, OTHER = "ble:hci0", "ble:hci1"
ZONES = {LINK: "lobby", OTHER: "garden"}


class LaterClock(Clock):
    """The box's clock, `ms` ahead: an afternoon passes in a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = 0

    def now(self) -> Instant:
        now = super().now()
        return Instant(now.wall_ms + self.ms, now.mono_ms + self.ms)


class Commits:
    """Desk and telemetry as far as the pipeline sees them: the alerts' book is real, the disk is not there."""

    def __init__(self, clock: Clock) -> None:
        self.book = Book(Rules(), FloodLimit())
        self.samples = 0
        self.changes: list[Change] = []
        self.notices = 0
        self._clock = clock

    def put(self, work: Input | Remember) -> None:
        if isinstance(work, Remember):
            self.changes.append(work.change)
            return
        page = Page(self.book, self._clock.moment())
        page.take(work)
        page.adopt()
        self.notices += len(page.notices)
        self.changes += page.records()

    def add(self, _: Sample) -> None:
        self.samples += 1


class Ears:
    """One radio that scans, and all that hears what it hears. `heard` is what bleak calls for each advert."""

    def __init__(self, folder: Path, devices: int) -> None:
        self.clock = LaterClock()
        self.commits = Commits(self.clock)
        self.episodes = Episodes()
        profiles = Profiles.load()
        roster = Roster(tuple(Device(id=f"band-{n:04}", address=address(n)) for n in range(1, devices + 1)))
        self.normalise = Normaliser(
            roster, self.episodes, Counters(roster.key_of), Secrets(b"fleet", b"box"), self.clock
        )
        desk, telemetry = cast("Desk", self.commits), cast("Telemetry", self.commits)
        faults = Faults(self.clock.moment)
        self.recorder = Recorder(folder / "recordings", self.clock.now, faults)
        self.quarantine = Quarantine(folder / "quarantine")
        evidence = Evidence(self.quarantine, self.recorder)
        replies = Replies({}, lambda pay: pay())
        self.pipeline = Pipeline(profiles, self.normalise, desk, telemetry, evidence, replies, ZONES)
        self.machine = Machine(Street())
        station = station_of(profiles, roster, self.clock, faults)
        self.radio = Radio(LINK, Options("hci0"), station, self.machine.world)

    @property
    def heard(self) -> Advertised:
        assert self.machine.advertised is not None
        return self.machine.advertised


@asynccontextmanager
async def listening(folder: Path, devices: int) -> AsyncIterator[Ears]:
    ears = Ears(folder, devices)
    up = asyncio.Event()
    task = asyncio.create_task(ears.radio.run(ears.pipeline, up.set))
    await asyncio.wait_for(up.wait(), 5)
    try:
        yield ears
    finally:
        task.cancel()
        await asyncio.wait({task})


def device(address: str) -> BLEDevice:
    return BLEDevice(spelt(address), None, {})


def advert(payload: bytes, company: int = COMPANY, prefix: bytes = ADVERT_PREFIX) -> AdvertisementData:
    """One as bleak makes it of what BlueZ tells."""
    return AdvertisementData(None, {company: prefix + payload}, {}, [], None, -67, ())
