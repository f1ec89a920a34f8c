"""The real inside half on a folder and a clock of its own: what a capture comes to, however fast it is played.

Time stands still between two packets and then jumps, with every tick of the desk on the way: a fall is confirmed and a
condition clears at the capture's own times. No alert repeats: that waits for a broker to have taken it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import msgspec

from drivers.base import Instant, Packet, Write
from gateway.book import Book
from gateway.chronicle import Chronicle
from gateway.clock import Clock
from gateway.counters import Counters
from gateway.desk import TICK_S, Desk
from gateway.episodes import Episodes
from gateway.evidence import Evidence
from gateway.forward import Lane, Window
from gateway.health import Faults
from gateway.lanes import Plan, open_store, start_lane
from gateway.model import Alert, Draft, Moment, Reason, Sample
from gateway.normalise import Normaliser, Secrets
from gateway.pipeline import Pipeline
from gateway.quarantine import Quarantine
from gateway.recorder import Recorder
from gateway.setup import Setup
from gateway.telemetry import Grouping, Telemetry
from gateway.wire import Wire
from gateway.writes import Replies

TICK_MS = round(TICK_S * 1000)
COMMIT_MS, COMMIT_PACKETS = 1_000, 500
"""Readings are committed this often."""


class StillClock(Clock):
    """Shows what it is set to."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = super().now()

    def now(self) -> Instant:
        return self.shown


class Told(Protocol):
    """Who hears what the capture comes to, in its order."""

    def alert(self, alert: Alert, reason: Reason, now: Moment) -> None: ...
    def reading(self, sample: Sample) -> None: ...


class _Wire(Wire):
    """Every message of an alert is told as it is made."""

    def __init__(self, setup: Setup, clock: Clock, told: Told) -> None:
        config, release = setup.config, version("station-gateway")
        super().__init__(config.mqtt.root, config.station, release, clock, setup.codes, config.services)
        self._told = told

    def alert(self, alert: Alert, reason: Reason, now: Moment) -> Draft:
        self._told.alert(alert, reason, now)
        return super().alert(alert, reason, now)


class _Telemetry(Telemetry):
    """Every reading is told as it is heard."""

    def __init__(self, lane: Lane, wire: Wire, clock: Clock, told: Told) -> None:
        super().__init__(lane, wire, clock, Grouping())
        self._told = told

    def add(self, sample: Sample) -> None:
        self._told.reading(sample)
        super().add(sample)


class Stage(msgspec.Struct, frozen=True):
    """What a rehearsal is played on, for a link to the broker too."""

    clock: StillClock
    faults: Faults
    wire: Wire
    alert: Lane
    telemetry: Lane


class Rehearsal:
    """`hear` returns once all that a packet means is on the disk."""

    def __init__(self, stage: Stage, book: Book, desk: Desk, telemetry: Telemetry, pipeline: Pipeline) -> None:
        self.stage, self.pipeline = stage, pipeline
        self._book, self._desk, self._telemetry = book, desk, telemetry
        self._tick_ms = self._committed_ms = stage.clock.shown.mono_ms
        self._heard = 0

    async def hear(self, packet: Packet) -> None:
        await self._pass(packet.received)
        self.pipeline.packet(packet)
        await self._desk.settle()
        self._heard += 1
        if packet.received.mono_ms - self._committed_ms >= COMMIT_MS or self._heard % COMMIT_PACKETS == 0:
            self._committed_ms = packet.received.mono_ms
            await self._telemetry.commit()

    async def end(self) -> None:
        await self._telemetry.commit()

    async def _pass(self, to: Instant) -> None:
        """Let the time pass until then; while no alert is open, nothing can become of it."""
        clock = self.stage.clock
        while self._tick_ms <= to.mono_ms and any(self._book.open()):
            now = clock.shown
            clock.shown = Instant(now.wall_ms + self._tick_ms - now.mono_ms, self._tick_ms)
            await self._desk.settle(tick=True)
            self._tick_ms += TICK_MS
        self._tick_ms = max(self._tick_ms, to.mono_ms)
        clock.shown = to


class _Unanswered(Replies):
    """Nobody waits behind a capture."""

    def owe(self, reply: Write) -> None:
        """Leave it out."""


@asynccontextmanager
async def rehearsing(
    setup: Setup, folder: Path, zones: Mapping[str, str | None], clock: StillClock, told: Told, *, test: bool
) -> AsyncIterator[Rehearsal]:
    """With empty lanes in `folder`; `zones` has every link of the capture. `test`: nothing of it is meant."""
    config = setup.config
    faults, wire = Faults(clock.moment), _Wire(setup, clock, told)
    plans = Plan("alert", Window()), Plan("telemetry", Window())
    lanes = [await start_lane(open_store(folder, plan, clock), plan, wire, clock, faults) for plan in plans]
    stage = Stage(clock, faults, wire, *lanes)
    book = Book.of(config.alerts)
    recorder = Recorder(folder / "recordings", clock.now, faults)  # it does not run: a capture is not recorded again
    chronicle = Chronicle(lambda _: None, recorder.alert, clock.moment)
    desk = Desk(book, stage.alert, wire, clock, chronicle, lambda _: None)
    telemetry = _Telemetry(stage.telemetry, wire, clock, told)
    secrets, numbers = Secrets(None, clock.random(32)), Counters(setup.roster.key_of)
    normalise = Normaliser(setup.roster, Episodes(), numbers, secrets, clock, config.lenient, test=test)
    quarantine = Quarantine(folder / "quarantine.jsonl")
    evidence, replies = Evidence(quarantine, recorder), _Unanswered({}, lambda _: None)
    pipeline = Pipeline(setup.profiles, normalise, desk, telemetry, evidence, replies, zones)
    try:
        yield Rehearsal(stage, book, desk, telemetry, pipeline)
    finally:
        await asyncio.gather(*(lane.close() for lane in lanes))
