"""What is published of wearers: each change, all anew for each session, as it is when sent; emptied in the end."""

import json
from collections.abc import Callable
from typing import Any

from drivers.base import Metric
from gateway.assurance import Assurance
from gateway.board import PACE, Board
from gateway.health import Faults
from gateway.model import Heard, Message, Wearable
from gateway.protection import Protection, State, Verdict
from gateway.roster import Device, Roster
from gateway.sightings import Sightings
from gateway.supervision import Supervision
from gateway.thresholds import Supervision as Rules
from tests.support import contract
from tests.support.inside import StillClock, make_wire
from tests.support.moments import moment

RX = "serial:rx"
SESSIONS = ("01kas0g5m0w3v9rb6h2yj8n4kq", "01kas0g5m0w3v9rb6h2yj8n4kr")


class Broker:
    """Holds each message against the contract, and keeps what is retained; `slow` answers only when it is told to."""

    def __init__(self, *, slow: bool = False) -> None:
        self.retained: dict[str, Any] = {}
        self.posted = 0
        self.waiting: list[Callable[[], None]] = []
        self._slow = slow

    def post(self, message: Message, done: Callable[[], None], /) -> None:
        self.posted += 1
        wearer = message.topic.split("/")[-2]
        self.retained.pop(wearer, None)
        if message.payload:
            contract.check(message.topic, message.payload)
            self.retained[wearer] = json.loads(message.payload)
        if self._slow:
            self.waiting.append(done)
        else:
            done()


class Station:
    def __init__(self, count: int = 2, kept: dict[str, Verdict] | None = None, *, visitor: bool = False) -> None:
        self.ms, self.session = 0, SESSIONS[0]
        self.devices = tuple(
            Device(id=f"band-{n}", address=f"c098{n:08}", wearer=f"w-{n}", visitor=visitor) for n in range(count)
        )
        self.sightings, self.board = Sightings(), Board()
        self.faults = Faults(lambda: moment(self.ms))
        supervision = Supervision(self.sightings, {"band": 2_000}, Rules(), lambda: "id")
        self.sightings.ears.mind(moment(0).mono_ms, {RX: True})
        for device in self.devices:
            supervision.enter(device, moment(0))
        wire, protection = make_wire(StillClock()), Protection(Roster(self.devices), supervision, -90)
        self.assurance = Assurance(
            protection, self.board, wire, self.faults, lambda: self.session, lambda: moment(self.ms), rings=False
        )
        self.assurance.begin(kept or {})

    def hear(self, *numbers: int) -> None:
        for number in numbers:
            who = Wearable(f"{number:08}", f"band-{number}", f"w-{number}")
            self.sightings.see(who, moment(self.ms), Heard(RX, -60), "band", {Metric.BATTERY_LEVEL: 88})

    def turn(self, ms: int = 0) -> None:
        self.ms += ms
        self.assurance.turn(0, 1, moment(self.ms))


def test_each_change_is_published_once() -> None:
    station, broker = Station(), Broker()
    station.board.attach(broker)
    station.hear(0)
    station.turn()
    assert {wearer: told["state"] for wearer, told in broker.retained.items()} == {
        "w-0": "protected",
        "w-1": "unprotected",
    }
    assert broker.retained["w-0"]["devices"] == [
        {"device": "band-0", "last_heard": "2026-11-24T00:00:00.000Z", "battery_level": 88}
    ]
    assert broker.retained["w-1"]["devices"] == [{"device": "band-1", "last_heard": None, "battery_level": None}]
    station.turn(1_000)
    assert broker.posted == 2
    station.hear(1)
    station.turn(1_000)
    assert broker.posted == 3
    assert broker.retained["w-1"]["state"] == "protected"


def test_each_session_says_it_anew_though_the_link_is_the_same() -> None:
    station, broker = Station(), Broker()
    station.board.attach(broker)
    station.turn()
    station.session = SESSIONS[1]
    station.turn()
    assert broker.posted == 4
    assert {told["session"] for told in broker.retained.values()} == {SESSIONS[1]}


def test_many_go_out_a_few_at_a_time() -> None:
    station, broker = Station(100), Broker(slow=True)
    station.board.attach(broker)
    station.turn()
    while broker.waiting:
        assert len(broker.waiting) <= PACE
        broker.waiting.pop(0)()
    assert len(broker.retained) == broker.posted == 100


def test_what_waited_for_its_turn_says_how_things_are_by_then() -> None:
    station, broker = Station(1), Broker()
    station.hear(0)
    station.faults.begin("broker_unreachable", "uplink:alert", "what", "cure")
    station.turn(20_000)
    station.faults.end("uplink:alert")
    station.board.attach(broker)
    assert broker.retained["w-0"]["state"] == "protected"


def test_who_has_left_the_roster_is_no_longer_spoken_of_and_only_then_forgotten() -> None:
    first = Station()
    first.turn()
    kept = first.assurance.kept()
    assert kept.keys() == {"w-0", "w-1"}
    second, broker = Station(1, kept), Broker()
    assert second.assurance.kept().keys() == {"w-0", "w-1"}
    broker.retained["w-1"] = {}
    second.board.attach(broker)
    assert broker.retained.keys() == {"w-0"}
    assert second.assurance.kept().keys() == {"w-0"}


def test_a_restart_says_the_same_since_the_same_time() -> None:
    first = Station(1)
    first.hear(0)
    first.turn()
    second, broker = Station(1, first.assurance.kept()), Broker()
    second.ms = 60_000
    second.hear(0)
    second.board.attach(broker)
    told = broker.retained["w-0"]
    assert (told["state"], told["since"]) == ("protected", "2026-11-24T00:00:00.000Z")


def test_a_visitor_is_spoken_of_while_she_is_here_and_for_a_day() -> None:
    station, broker = Station(1, visitor=True), Broker()
    station.board.attach(broker)
    station.turn()
    assert broker.posted == 0
    station.hear(0)
    station.turn()
    station.turn(600_000)
    assert broker.retained["w-0"]["state"] == State.AWAY.value
    station.turn(86_400_000)
    assert broker.retained == {}
    station.hear(0)
    station.turn()
    assert broker.retained["w-0"]["state"] == State.PROTECTED.value
