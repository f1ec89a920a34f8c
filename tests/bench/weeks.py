"""`python -m tests.bench.weeks`: of each minute of a station's weeks, what was published of each wearer, and was true.

Real is the watch: sightings, supervision, batteries, protection, the board, the checkpoint over restarts. Simulated are
clocks, air, broker, and the people who put right what they are told.
"""

import argparse
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from structlog.testing import capture_logs

from drivers.base import Metric
from gateway.inputs import Pressed
from gateway.model import AlertKind, Message
from tests.bench.rig import folder
from tests.support.watching import Watching, devices

DAY = 1440
SUBSTEPS = 6
"""Each wearable is heard once a minute at most: what it sends in between says nothing new."""
FRAMES = 30
LINKS = ("serial:lobby", "serial:hall")
GOOD = ("protected", "degraded")


class Cause(StrEnum):
    """Why a press would reach nobody; the first that holds is counted."""

    BROKER = "broker away"
    CENTRE = "call centre away"
    RECEIVER = "receiver away or deaf"
    EMPTY = "battery empty"
    AWAY = "out of reach"
    OFF = "not worn"


STATED = {
    Cause.BROKER: 0,
    Cause.CENTRE: 4,
    Cause.RECEIVER: 2,
    Cause.EMPTY: 16,
    Cause.AWAY: 16,
    Cause.OFF: 6,
}
"""Minutes after which it is known, with one for the minute that this counts in."""


class Spell:
    """Something that comes now and then, and lasts: `every` days on average, `least` to `most` minutes."""

    def __init__(self, chance: random.Random, every: float, least: float, most: float) -> None:
        self._chance, self._every, self._bounds = chance, every, (math.log(least), math.log(most))
        self._begins = self._next(0)
        self._ends = self._begins + self._lasting()

    def holds(self, minute: int) -> bool:
        if minute >= self._ends:
            self._begins = self._next(minute)
            self._ends = self._begins + self._lasting()
        return minute >= self._begins

    def end(self, minute: int) -> None:
        """Somebody puts it right."""
        if self.holds(minute):
            self._ends = minute

    def _next(self, minute: int) -> float:
        return minute + self._chance.expovariate(1 / (self._every * DAY))

    def _lasting(self) -> float:
        return math.exp(self._chance.uniform(*self._bounds))


class Band:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.level = chance.uniform(5, 100)
        self.drain = chance.uniform(1, 8) / DAY
        self.garden = Spell(chance, 2, 1, 20)
        self.drawer = Spell(chance, 60, 3 * 60, 5 * DAY)
        self.bath = Spell(chance, 1, 10, 90)
        self.near = chance.choice(LINKS)
        self.both = chance.random() < 0.3
        self.repaired: float = math.inf

    def live(self, minute: int) -> None:
        self.level = max(0.0, self.level - self.drain)
        if minute >= self.repaired:
            self.level, self.repaired = 100.0, math.inf
            self.drawer.end(minute)

    def told(self, kind: AlertKind, minute: int) -> None:
        """Somebody sees to it, within hours or a day or two."""
        hours = (2, 24) if kind is AlertKind.DEVICE_SILENT else (4, 48)
        self.repaired = min(self.repaired, minute + 60 * self.chance.uniform(*hours))

    def why_not(self, minute: int) -> Cause | None:
        """What keeps a press from the receivers."""
        if self.level <= 0:
            return Cause.EMPTY
        if self.garden.holds(minute):
            return Cause.AWAY
        return Cause.OFF if self.drawer.holds(minute) or self.bath.holds(minute) else None


class Cloud:
    """What the platform believes: what is retained, while the station is online with that session."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.reasons: dict[str, list[str]] = {}
        self._done: list[Callable[[], None]] = []

    def post(self, message: Message, done: Callable[[], None], /) -> None:
        told = json.loads(message.payload)
        self.states[told["wearer"]], self.reasons[told["wearer"]] = told["state"], told["reasons"]
        self._done.append(done)

    def settle(self) -> None:
        while self._done:
            self._done.pop(0)()


class Station:
    def __init__(self, seed: int, wearables: int, file: Path) -> None:
        self.chance = random.Random(seed)
        self.file, self.roster = file, devices(wearables)
        self.bands = [Band(self.chance) for _ in self.roster]
        self.unplugged = {link: Spell(self.chance, 7, 2, 8 * 60) for link in LINKS}
        self.deaf = {link: Spell(self.chance, 10, 10, 6 * 60) for link in LINKS}
        self.crowd = Spell(self.chance, 1, 30, 180)
        self.broker, self.centre = Spell(self.chance, 3, 1, 120), Spell(self.chance, 5, 2, 120)
        self.restart = Spell(self.chance, 3, 1, 2)
        self.watching, self.cloud, self.online = Watching(self.roster, LINKS, file), Cloud(), False
        self.minutes, self.sessions = 0, 0
        self.alerts: Counter[str] = Counter()
        self.wrongly: dict[Cause, Counter[int]] = defaultdict(Counter)
        """Minutes wrongly protected, by how long it had been wrong by then."""
        self.needlessly: Counter[str] = Counter()
        self.true = 0
        self._since: dict[int, tuple[Cause | None, int]] = {}

    def live(self) -> None:
        """One minute."""
        minute = self.minutes
        self._restarted(minute)
        self._connected(minute)
        for link in LINKS:
            self.watching.links[link].up = not self.unplugged[link].holds(minute)
        heard = [self._heard(band, minute) for band in self.bands]
        if not self.centre.holds(minute):
            self.watching.centre.hear(self.watching.now())
        for step in range(SUBSTEPS):
            self.watching.ms += 60_000 // SUBSTEPS
            self._air(heard, step, minute)
            for _ in range(5):
                self.watching.watch.turn(self.watching.now())
        self.watching.centre.look(self.watching.now())
        self.cloud.settle()
        self._act(minute)
        self._compare(minute)
        self.minutes += 1

    def _restarted(self, minute: int) -> None:
        """Killed: what was learned in the last minutes is lost."""
        watching = self.watching
        if minute % 10 == 0:
            watching.watch.gather()
            watching.watch.save()
        if self.restart.holds(minute):
            self.restart.end(minute)
            self.watching = Watching(self.roster, LINKS, self.file, at=watching.ms)
            self.watching.centre.connected(self.watching.now())
            self.online = False

    def _connected(self, minute: int) -> None:
        away, watching = self.broker.holds(minute), self.watching
        if away and self.online:
            watching.board.detach()
            watching.centre.lost()
            watching.faults.begin("broker_unreachable", "uplink:alert", "away", "wait")
        elif not away and not self.online:
            self.sessions += 1
            watching.session = f"{self.sessions:026}"
            watching.faults.end("uplink:alert")
            watching.centre.connected(watching.now())
            watching.board.attach(self.cloud)
        self.online = not away

    def _heard(self, band: Band, minute: int) -> list[str]:
        """By which receivers a band is heard in this minute, if it is."""
        band.live(minute)
        if band.why_not(minute) in (Cause.EMPTY, Cause.AWAY):
            return []
        survive = 0.05 if self.crowd.holds(minute) else 0.7
        reached = [link for link in LINKS if (band.both or link == band.near) and self._hears(link, minute)]
        return [link for link in reached if self.chance.random() > (1 - survive) ** FRAMES]

    def _hears(self, link: str, minute: int) -> bool:
        return not self.unplugged[link].holds(minute) and not self.deaf[link].holds(minute)

    def _air(self, heard: list[list[str]], step: int, minute: int) -> None:
        now_ms = self.watching.now().mono_ms
        for link in LINKS:
            if not self.unplugged[link].holds(minute):
                self.watching.sightings.ears.speak(link, now_ms)
        for number in range(step, len(heard), SUBSTEPS):
            band = self.bands[number]
            worn = band.why_not(minute) is not Cause.OFF
            for link in heard[number]:
                values = {Metric.BATTERY_LEVEL: round(band.level), Metric.WORN: worn}
                self.watching.hear(number, link, values, flat=band.level < 10)

    def _act(self, minute: int) -> None:
        """People are told, and put right what they can."""
        for told in self.watching.told:
            if isinstance(told, Pressed):
                self.alerts[told.key.kind.value] += 1
                if told.wearable is not None:
                    self.bands[int(told.wearable.device[-4:])].told(told.key.kind, minute)
        self.watching.told.clear()

    def _why_not(self, band: Band, minute: int) -> Cause | None:
        if self.broker.holds(minute):
            return Cause.BROKER
        if self.centre.holds(minute):
            return Cause.CENTRE
        cause = band.why_not(minute)
        if cause not in (Cause.EMPTY, Cause.AWAY):
            links = LINKS if band.both else (band.near,)
            if not any(self._hears(link, minute) for link in links):
                return Cause.RECEIVER
        return cause

    def _compare(self, minute: int) -> None:
        for number, band in enumerate(self.bands):
            wearer, cause = f"w-{number:04}", self._why_not(band, minute)
            said = self.online and self.cloud.states.get(wearer) in GOOD
            self.true += cause is None
            before, since = self._since.get(number, (None, minute))
            if cause is not before:
                since = minute
            self._since[number] = (cause, since)
            if said and cause is not None:
                self.wrongly[cause][minute - since + 1] += 1
            elif not said and cause is None:
                self.needlessly[", ".join(self.cloud.reasons.get(wearer, ["nothing was said"]))] += 1


def told(station: Station) -> str:
    total, days = station.minutes * len(station.bands), station.minutes / DAY
    lines = [f"{total:,} minutes of wearers; a press would have reached somebody in {station.true / total:.2%}"]
    lines.append(f"\nwrongly protected: {sum(map(Counter.total, station.wrongly.values())):,} minutes")
    for cause, runs in sorted(station.wrongly.items()):
        beyond = sum(count for age, count in runs.items() if age > STATED[cause])
        stated = f"known within {STATED[cause]} min; later {beyond:,}, the longest {max(runs)} min"
        lines.append(f"  {cause.value:24}{runs.total():9,}  {stated}")
    lines.append(f"\nwrongly unprotected: {station.needlessly.total():,} minutes")
    lines += [f"  {reasons:40}{count:9,}" for reasons, count in station.needlessly.most_common(12)]
    lines.append("\nalerts of the station in a day")
    lines += [f"  {kind:24}{count / days:9.2f}" for kind, count in station.alerts.most_common()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.weeks", description=__doc__)
    parser.add_argument("--days", type=float, default=21)
    parser.add_argument("--wearables", type=int, default=400)
    parser.add_argument("--seed", type=int, default=398)
    args = parser.parse_args()
    with folder() as base, capture_logs():
        station = Station(args.seed, args.wearables, base / "watch")
        for _ in range(round(args.days * DAY)):
            station.live()
    print(f"seed {args.seed}, {args.days:g} days, {args.wearables} wearables\n\n{told(station)}")


if __name__ == "__main__":
    main()
