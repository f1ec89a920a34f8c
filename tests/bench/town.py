"""Two stations and their wearables in virtual time: what happens to whom, and which bytes of it reach which box."""

import heapq
import json
from collections.abc import Callable
from pathlib import Path

from gateway.cli.street import Code, Kind, Wearable
from gateway.roster import Device, Roster
from gateway.rows import Row
from tests.bench.desks import Desks
from tests.bench.truth import MEANT, Press, Recording, Truth
from tests.support.air import band
from tests.support.byhand import START_MS, Killed, Station, World

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
LINKS = ("serial:lobby", "ble:hci0", "serial:garden")
LOSS = 0.3
SLOW_MS = 2_000
"""The garden's receiver brings its frames up to so late."""
SPARSE_MS = 8 * MINUTE
HEARD = {"a": ("a",), "b": ("b",), "both": ("a", "b"), "away": ()}


class Band:
    """A wearable, whose station is its home, and where its wearer is."""

    def __init__(self, number: int) -> None:
        self.wearable: Wearable = band(number)
        self.address = self.wearable.address[-8:]
        self.home = "ab"[number % 2]
        self.place = self.home
        self.press: Press | None = None
        self.rests_until = 0
        self.recorded: list[tuple[int, bytes, str]] = []


class Box:
    """A station, whether it is up, and its way to the broker."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.up = self.reachable = True
        self.road = 0
        """Counts connections: what was under way over an earlier one is lost."""
        self.clear_ms = 0
        """When the last message on its way arrives: none overtakes another."""
        self.acks: list[tuple[str, bytes]] = []
        self.sounded: set[str] = set()
        self.tick_ms = 0
        self.answers = 0

    @property
    def connected(self) -> bool:
        return self.up and self.reachable


class Town:
    def __init__(self, folder: Path, wearables: int, seed: int) -> None:
        self.world = World(seed)
        self.chance = self.world.chance
        self.truth = Truth()
        self.frames = self.outages = self.crashes = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.desks = Desks(self.truth, self.chance, lambda s, do: self.after(int(s * SECOND), do), self._say)
        self.bands = [Band(number) for number in range(1, wearables + 1)]
        self.boxes = {name: Box(self._station(name, folder)) for name in "ab"}

    def _station(self, name: str, folder: Path) -> Station:
        mine = [each.wearable for each in self.bands if each.home == name]
        devices = [Device(id=f"band-{w.address[-4:]}", address=w.address, wearer=f"w-{w.address[-4:]}") for w in mine]
        return Station(name, folder, Roster(tuple(devices)), self.world, LINKS, lambda row: self._row(name, row))

    def after(self, ms: int, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.world.ms + max(0, ms), self._count, do))

    def run(self, until_ms: int) -> None:
        while self._due and self._due[0][0] <= until_ms:
            self.world.ms, _, do = heapq.heappop(self._due)
            do()
        self.world.ms = until_ms

    def begin(self) -> None:
        for each in self.bands:
            self.after(self.chance.randrange(2 * SECOND), lambda band=each: self.beat(band))  # type: ignore[misc]
            self.after(self.chance.randrange(SPARSE_MS), lambda band=each: self._sparse(band))  # type: ignore[misc]
        for name in self.boxes:
            self.tick(name)

    # Wearables

    def happen(self, band: Band, code: Code, *, double: bool = False) -> bool:
        """Something happens to a band: 10 s of event frames, then its heartbeats; False while it has no power."""
        if self.world.ms < band.rests_until:
            return False
        number = band.wearable.press(code, 0.0)
        band.press = None
        if code in MEANT:
            band.press = self.truth.press(band.address, code, number, self.world.ms, band.home, double=double)
        payload = band.wearable.payload(Kind.EVENT)
        if band.press is not None and code is Code.SOS:
            band.recorded.append((number, payload, band.press.key))
        for step in range(50):
            self.after(step * 200, lambda: self._send(band, number, Kind.EVENT))
        for step in range(15):
            self.after(10_000 + step * 2_000, lambda: self._send(band, number, Kind.VITALS))
        return True

    def power_up(self, band: Band) -> None:
        """A new battery: 15 s of silence, then numbers from 0, heard by its home station before it is pressed again."""
        if band.place != band.home or not self.boxes[band.home].up:
            return
        band.rests_until = self.world.ms + 60 * SECOND
        band.wearable.restart()
        band.press, band.recorded = None, []
        for step in range(15):
            self.after(15_000 + step * 2_000, lambda: self.beat(band))

    def play(self, band: Band, station: str) -> None:
        """Somebody sends what he recorded of an earlier press, for 10 s."""
        if not band.recorded or not self.boxes[station].up:
            return
        _, payload, key = self.chance.choice(band.recorded)
        self.truth.recordings.append(Recording(station, key, self.world.ms))
        for step in range(50):
            self.after(step * 200, lambda: self._hear(station, LINKS[0], band, payload, None))

    def beat(self, band: Band) -> None:
        self._send(band, band.wearable.counter, Kind.VITALS)

    def _sparse(self, band: Band) -> None:
        if self.world.ms >= band.rests_until:
            band.wearable.live(self.chance)
            for name in HEARD[band.place]:
                self._hear(name, LINKS[0], band, band.wearable.payload(Kind.VITALS), band.press)
        self.after(SPARSE_MS + self.chance.randrange(-MINUTE, MINUTE), lambda: self._sparse(band))

    def _send(self, band: Band, number: int, kind: Kind) -> None:
        if band.wearable.counter != number:
            return  # something newer has happened to it
        payload, random = band.wearable.payload(kind), self.chance.random
        for name in HEARD[band.place]:
            for link in LINKS:
                if random() < LOSS:
                    continue
                if link == LINKS[2]:
                    delay, press = int(random() * SLOW_MS), band.press
                    self.after(delay, lambda at=name, over=link, of=press: self._hear(at, over, band, payload, of))  # type: ignore[misc]
                else:
                    self._hear(name, link, band, payload, band.press)

    # Boxes

    def _hear(self, name: str, link: str, band: Band, payload: bytes, press: Press | None) -> None:
        box = self.boxes[name]
        if not box.up:
            return
        self.frames += 1
        box.station.hear(link, band.wearable, payload)
        if box.station.desk.waiting and not self._settle(name):
            return
        if press is not None and (payload[0] == Kind.EVENT or name == press.home):
            press.heard = True

    def _settle(self, name: str, *, tick: bool = False) -> bool:
        box = self.boxes[name]
        try:
            box.station.settle(tick=tick)
        except Killed:
            self.go_down(name, self.chance.randrange(2 * SECOND, 20 * SECOND), power=False)
            return False
        if box.tick_ms > self.world.ms + SECOND:
            box.tick_ms = self.world.ms + SECOND
            self.after(SECOND, lambda: self.tick(name))
        return True

    def tick(self, name: str) -> None:
        """The desk comes round: each second while something is due soon, else each minute."""
        box, now = self.boxes[name], self.world.ms
        if not box.up or now < box.tick_ms:
            return
        box.tick_ms = now  # so that its own commit asks for no second round
        if not self._settle(name, tick=True):
            return
        told = [alert.id for alert in box.station.look(reachable=box.connected)]
        if told:
            box.sounded.update(told)
            self.truth.sounded(name, told)
        self.truth.hush(name, box.sounded, box.station.started_ms, now, box.station.disk.unsent)
        soon = any(each.repeats or not each.confirmed or each.ended_at for each in box.station.book.open())
        box.tick_ms = now + (SECOND if soon else MINUTE)
        self.after(box.tick_ms - now, lambda: self.tick(name))

    def crash_soon(self, name: str) -> None:
        """The daemon dies in its next commit, before or after the disk has it."""
        self.boxes[name].station.disk.dies = self.chance.choice(["before", "after"])

    def go_down(self, name: str, ms: int, *, power: bool) -> None:
        box = self.boxes[name]
        if not box.up:
            return
        self.crashes += 1
        box.up = False
        box.road += 1
        box.station.kill()
        self.after(ms, lambda: self._come_up(name, power=power))

    def _come_up(self, name: str, *, power: bool) -> None:
        """After a power cut the wall clock may be up to an hour behind, until the net is asked."""
        box, now = self.boxes[name], self.world.ms
        skew = -self.chance.randrange(HOUR) if power and self.chance.random() < 0.5 else 0
        box.station.start(now - START_MS if power else None, skew)
        box.up, box.tick_ms = True, now
        box.sounded.clear()
        if skew:
            self.after(5 * MINUTE, lambda clock=box.station.clock: setattr(clock, "skew_ms", 0))  # type: ignore[misc]
        self.after(0, lambda: self.tick(name))
        for each in self.bands:
            if name in HEARD[each.place] and now >= each.rests_until:
                for _ in range(3):
                    self.after(self.chance.randrange(6 * SECOND), lambda band=each: self.beat(band))  # type: ignore[misc]
        self._connect(name)

    # The way to the platform and back

    def lose_broker(self, name: str, ms: int) -> None:
        box = self.boxes[name]
        if not box.reachable:
            return
        self.outages += 1
        box.reachable = False
        box.road += 1
        self.after(ms, lambda: self._find_broker(name))

    def _find_broker(self, name: str) -> None:
        self.boxes[name].reachable = True
        self._connect(name)

    def _connect(self, name: str) -> None:
        box = self.boxes[name]
        if not box.connected:
            return
        box.road += 1
        box.clear_ms = self.world.ms
        for row in list(box.station.disk.pending.values()):
            self._publish(name, row)
        acks, box.acks = box.acks, []
        for alert, payload in acks:
            self._say(name, alert, payload)

    def _row(self, name: str, row: Row) -> None:
        self.truth.row(name, json.loads(row.payload)["data"], self.world.ms)
        if self.boxes[name].connected:
            self._publish(name, row)

    def _publish(self, name: str, row: Row) -> None:
        box, now = self.boxes[name], self.world.ms
        box.clear_ms = max(box.clear_ms, now + self.chance.randrange(20, 300))
        road = box.road

        def arrive() -> None:
            if road != box.road:
                return  # on a connection that is lost: it is sent again
            self.desks.take(name, row.payload, self.world.ms)
            self.after(self.chance.randrange(20, 300), acknowledged)

        def acknowledged() -> None:
            if road == box.road:
                box.station.disk.settle(row.seq)

        self.after(box.clear_ms - now, arrive)

    def _say(self, name: str, alert: str, payload: bytes) -> None:
        box = self.boxes[name]
        if not box.connected:
            box.acks.append((alert, payload))  # the broker keeps it for the session
            return

        def arrive() -> None:
            if not box.connected:
                box.acks.append((alert, payload))
                return
            box.station.acknowledge(alert, payload)
            self._settle(name)

        self.after(self.chance.randrange(20, 300), arrive)
