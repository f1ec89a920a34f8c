"""One station from bytes to rows and back, run by hand: the real stages on a real file, and nothing waits or sleeps.

Only the edges stand in: the world's time for the clock, `Disk` for the thread that writes the alert lane's file.
What is killed keeps its file alone; `boot` takes that up as the daemon does.
"""

import random
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from drivers.base import Instant, Packet, PacketKind
from gateway import book, counters, episodes
from gateway.alerts import Rules
from gateway.book import Book, FloodLimit
from gateway.chronicle import Chronicle
from gateway.cli.street import ADVERT_PREFIX, COMPANY, Wearable, serial_frame
from gateway.clock import Clock
from gateway.counters import Counters
from gateway.desk import Desk
from gateway.episodes import Episodes
from gateway.escalation import Escalation
from gateway.evidence import Evidence
from gateway.forward import Lane
from gateway.model import Alert, Change, Draft
from gateway.normalise import Normaliser, Secrets
from gateway.pipeline import Pipeline
from gateway.requests import Call, Requests
from gateway.roster import Roster
from gateway.rows import Row
from gateway.store import Store
from gateway.telemetry import Telemetry
from gateway.wire import Wire
from gateway.writes import Replies
from tests.support.formats import shipped
from tests.support.inside import recorded
from tests.support.moments import WALL_MS

FLEET = b"fleet"
START_MS = 5_000
"""From a box's power-up to its daemon's first step."""
TELL_AFTER_MS, TELL_EVERY_MS = 30_000, 60_000
"""When a station is told of an alert that nobody accepts, as configured by default."""


class Killed(Exception):
    """The process is gone in the middle of a commit."""


class World:
    """The true time, in ms since the beginning; what is random is drawn from one seed."""

    def __init__(self, seed: int = 0) -> None:
        self.ms = 0
        self.chance = random.Random(seed)


class BoxClock(Clock):
    """The boot clock of a box that was switched on at `since_ms`; its wall clock is `skew_ms` off."""

    def __init__(self, world: World, boot: str, since_ms: int, skew_ms: int = 0) -> None:
        super().__init__(boot)
        self.world, self.since_ms, self.skew_ms = world, since_ms, skew_ms
        self.synced = skew_ms == 0

    def now(self) -> Instant:
        return Instant(WALL_MS + self.world.ms + self.skew_ms, self.world.ms - self.since_ms)

    def refresh(self) -> bool:
        return False

    def random(self, count: int) -> bytes:  # type: ignore[override]
        return self.world.chance.randbytes(count)


class _Held:
    """Awaited while the disk is full."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Disk:
    """The alert lane as far as the desk sees it. `on_row` hears of each row that is on the disk.

    `dies` says whether the next commit is the process's end, and whether the file had taken it by then.
    """

    def __init__(self, store: Store, world: World, on_row: Callable[[Row], None]) -> None:
        self.store, self._world, self._on_row = store, world, on_row
        self.full = False
        self.dies: str | None = None
        self.pending = {row.seq: row for row in store.read(0, 1 << 20)}
        self._unsent = Counter(store.subjects())
        self._settled: list[int] = []

    async def commit(self, drafts: Sequence[Draft], changes: Sequence[Change] = ()) -> None:
        while self.full:
            await _Held()
        if self.dies == "before":
            raise Killed
        settled, self._settled = self._settled, []
        for row in self.store.write(drafts, changes, settled, self._world.ms):
            self.pending[row.seq] = row
            self._unsent[row.subject or ""] += 1
            self._on_row(row)
        if self.dies == "after":
            raise Killed

    def unsent(self, subject: str) -> bool:
        return self._unsent[subject] > 0

    def settle(self, seq: int) -> None:
        """The broker has it. The row leaves the file with the next commit: a kill before that sends it again."""
        row = self.pending.pop(seq, None)
        if row is not None:
            self._unsent[row.subject or ""] -= 1
            self._settled.append(seq)


class _Nowhere:
    """Telemetry, evidence and replies: not what is tried here."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_args, **_more: None


class Station:
    """A box and its daemon. `answers` are those to acknowledgements; `rows` is told of each row on the disk."""

    def __init__(
        self, name: str, folder: Path, roster: Roster, world: World, links: Sequence[str], on_row: Callable[[Row], None]
    ) -> None:
        self.name, self.world, self.links = name, world, links
        self.answers: list[bytes] = []
        self.missed = 0
        """Events that a device numbered and nobody heard, over all runs of the daemon."""
        self._path, self._roster, self._on_row = folder / f"{name}.db", roster, on_row
        self._boots = 0
        self.start(since_ms=world.ms - START_MS)

    def start(self, since_ms: int | None = None, skew_ms: int = 0) -> None:
        """Start the daemon on what its file holds; `since_ms` where the box was switched on then."""
        if since_ms is not None:
            self._boots += 1
            self.clock = BoxClock(self.world, f"{self.name}-{self._boots}", since_ms, skew_ms)
        store = Store(self._path, self.world.chance.randbytes(4).hex())
        self.disk = Disk(store, self.world, self._on_row)
        memory, numbers = Episodes(), Counters(self._roster.key_of)
        self.book = Book(Rules(), FloodLimit())
        self.book.load(store.records(book.SPACE))
        records = store.records(episodes.SPACE)
        known = {address for address in records if self._roster.find(address) is not None}
        outdated = memory.load(records, known, self.clock.moment())
        numbers.load(store.records(counters.SPACE))
        store.write((), outdated, (), self.world.ms)
        self.wire = Wire("398/v1", self.name, "0.1.0", self.clock)
        chronicle = Chronicle(lambda _: None, recorded, self.clock.moment)
        lane, nowhere = cast("Lane", self.disk), _Nowhere()
        self.desk = Desk(self.book, lane, self.wire, self.clock, chronicle, lambda _: None)
        normalise = Normaliser(self._roster, memory, numbers, Secrets(FLEET, self.name.encode()), self.clock)
        telemetry, evidence, replies = cast("Telemetry", nowhere), cast("Evidence", nowhere), cast("Replies", nowhere)
        zones = dict.fromkeys(self.links)
        self.pipeline = Pipeline(shipped(), normalise, self.desk, telemetry, evidence, replies, zones)
        clock = self.clock
        self.requests = Requests(
            self.wire, self.desk, normalise.trials, str, {}, lambda: clock.now().mono_ms, Counter()
        )
        self._doing: Any = None
        self.started_ms = self.world.ms
        self._escalation = Escalation(TELL_AFTER_MS, TELL_EVERY_MS, self.clock.moment())

    def hear(self, link: str, band: Wearable, payload: bytes) -> None:
        """A frame of `band` over one of the station's links: a radio's where it begins with `ble`."""
        now = self.clock.now()
        if link.startswith("ble"):
            advert = ADVERT_PREFIX + payload
            packet = Packet(link, PacketKind.MANUFACTURER, COMPANY, advert, now, band.address, -67)
        else:
            packet = Packet(link, PacketKind.FRAME, "398-reference", serial_frame(band.number, payload)[3:-2], now)
        self.pipeline.packet(packet)

    def acknowledge(self, alert: str, payload: bytes) -> None:
        topic = f"{self.wire.topics.alert(alert)}/ack"
        self.requests.take(Call(topic, payload, False, lambda _verb, answer: self.answers.append(answer)))

    def settle(self, *, tick: bool = False) -> None:
        """What the desk's task does when it comes round; goes on with what a full disk has held up."""
        while not self.held:
            self._go_on(self.desk.settle(tick=tick))
            if not self.desk.waiting:
                return
        if not self.disk.full:
            self._go_on(self._doing)
            self.settle(tick=tick)

    def look(self, *, reachable: bool) -> list[Alert]:
        """What the station itself must be told of now."""
        return self._escalation.look(self.book.open(), self.clock.moment(), reachable=reachable)

    @property
    def held(self) -> bool:
        """Whether a commit waits for a disk that is full."""
        return self._doing is not None

    def kill(self) -> None:
        """End the daemon as it stands: what is not in its file is gone."""
        self.missed += sum(link.missed for link in self.pipeline.links.values())
        if self._doing is not None:
            self._doing.close()
        self.disk.store._db.close()  # not `close`: the file stays as a killed process leaves it

    def records(self) -> list[Alert]:
        """The alerts in the file."""
        return [msgspec.msgpack.decode(blob, type=Alert) for blob in self.disk.store.records(book.SPACE).values()]

    def _go_on(self, doing: Any) -> None:
        self._doing = doing
        try:
            doing.send(None)
        except StopIteration:
            self._doing = None
