"""A watch over a station's wearables that is driven by hand: real but for the clocks, the air and the broker."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from gateway.assurance import Assurance
from gateway.board import Board
from gateway.centre import Centre
from gateway.checkpoint import load
from gateway.config import Alerts
from gateway.health import Faults, LinkCounters
from gateway.inputs import Ended, Pressed
from gateway.model import Heard, Message, Moment, Values, Wearable
from gateway.protection import Protection
from gateway.roster import Device, Roster
from gateway.sightings import Sightings
from gateway.supervision import Supervision
from gateway.thresholds import CallCentre
from gateway.thresholds import Supervision as Rules
from gateway.watch import PARTS, Receivers, Watch
from tests.support.inside import StillClock, make_wire
from tests.support.moments import moment

INTERVALS = {"398-reference": 2_000}


def devices(number: int) -> tuple[Device, ...]:
    return tuple(Device(id=f"band-{n:04}", address=f"c098{n:08}", wearer=f"w-{n:04}") for n in range(number))


class Watching:
    """`told` is what people hear of alerts. `links` are up; `session` is what `state` names."""

    def __init__(self, roster: Sequence[Device], links: Sequence[str], file: Path, *, at: int = 0) -> None:
        self.ms = at
        self.session = "01kas0g5m0w3v9rb6h2yj8n4kq"
        self.devices, self.links = tuple(roster), {link: LinkCounters(up=True) for link in links}
        self.wearables = [Wearable(each.address[-8:], each.id, each.wearer) for each in self.devices]
        self.told: list[Pressed | Ended] = []
        self.sightings, self.board, self.faults = Sightings(), Board(), Faults(self.now)
        self.centre = Centre(CallCentre.model_validate({"heartbeat": "desks/heartbeat"}), self.faults)
        new_id: Callable[[], str] = map(str, count()).__next__
        supervision = Supervision(self.sightings, INTERVALS, Rules(), new_id)
        self.protection = Protection(Roster(self.devices), supervision, Rules().weak_signal)
        wire, session = make_wire(StillClock()), lambda: self.session
        assurance = Assurance(self.protection, self.board, wire, self.faults, session, self.now, rings=False)
        receivers = Receivers(Alerts(), self.links, {}, self.sightings.ears, new_id)
        self.watch = Watch(self.devices, supervision, receivers, assurance, self.faults, self.told.append, file)
        self.watch.begin(load(file), [], self.now())

    def now(self) -> Moment:
        return moment(self.ms)

    def hear(self, number: int, link: str, values: Values, rssi: int = -67, *, flat: bool = False) -> None:
        heard = Heard(link, rssi)
        self.sightings.see(self.wearables[number], self.now(), heard, "398-reference", values, flat)

    def turn(self, ms: int) -> None:
        """Time passes, and everything is looked at once."""
        self.ms += ms
        for _ in range(PARTS):
            self.watch.turn(self.now())


class Broker:
    """Has each message at once, and keeps how often it was told something."""

    def __init__(self) -> None:
        self.posted = 0
        self.waiting: list[Callable[[], None]] = []

    def post(self, _: Message, done: Callable[[], None], /) -> None:
        self.posted += 1
        self.waiting.append(done)

    def answer(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()
