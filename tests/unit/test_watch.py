"""The round of the watch: all wearables in turn, receivers each second, everything saved."""

from pathlib import Path

from gateway import checkpoint
from gateway.assurance import Assurance
from gateway.board import Board
from gateway.checkpoint import Checkpoint
from gateway.config import Alerts
from gateway.health import Faults, LinkCounters
from gateway.inputs import Ended, Pressed
from gateway.model import AlertKind, Heard, Wearable
from gateway.protection import Protection
from gateway.roster import Device, Roster
from gateway.sightings import Sightings
from gateway.supervision import Supervision
from gateway.thresholds import Supervision as Rules
from gateway.watch import PARTS, Receivers, Watch
from tests.support.inside import StillClock, make_wire
from tests.support.moments import moment

RX = "serial:rx"
MINUTE = 60_000


class Station:
    def __init__(self, folder: Path, count: int = 12) -> None:
        self.ms = 0
        self.devices = [
            Device(id=f"band-{number:02}", address=f"c09800000{number:03}", wearer=f"w-{number:02}")
            for number in range(count)
        ]
        self.sightings = Sightings()
        self.faults = Faults(lambda: moment(self.ms))
        self.links = {RX: LinkCounters(up=True)}
        self.told: list[Pressed | Ended] = []
        receivers = Receivers(Alerts(), self.links, {}, self.sightings.ears, lambda: "id")
        supervision = Supervision(self.sightings, {"398-reference": 2_000}, Rules(), lambda: "id")
        self.file = folder / "watch"
        self.board, self.session = Board(), "one"
        protection = Protection(Roster(tuple(self.devices)), supervision, -90)
        wire, session = make_wire(StillClock()), lambda: self.session
        now = lambda: moment(self.ms)  # noqa: E731
        assurance = Assurance(protection, self.board, wire, self.faults, session, now, rings=False)
        self.watch = Watch(self.devices, supervision, receivers, assurance, self.faults, self.told.append, self.file)
        self.watch.begin(checkpoint.load(self.file), [], moment(0))

    def go(self, seconds: int, *speaking: int, own: bool = True) -> None:
        for _ in range(seconds):
            self.ms += 1_000
            if own:
                self.sightings.ears.speak(RX, moment(self.ms).mono_ms)
            for number in speaking:
                who = Wearable(f"00000{number:03}", self.devices[number].id)
                self.sightings.see(who, moment(self.ms), Heard(RX, -60), "398-reference", {})
            self.watch.turn(moment(self.ms))

    def kinds(self, what: type[Pressed | Ended] = Pressed) -> list[tuple[AlertKind, str]]:
        return [(each.key.kind, each.key.subject) for each in self.told if isinstance(each, what)]


def test_every_wearable_has_its_turn(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.go(60, *range(12))
    station.go(300 + PARTS, 0, 1, 2)
    silent = {(AlertKind.DEVICE_SILENT, f"device:band-{number:02}") for number in range(3, 12)}
    assert (set(station.kinds()), len(station.kinds())) == (silent, 9)
    station.go(PARTS, *range(12))
    assert {each for each in station.kinds(Ended) if each[0] is AlertKind.DEVICE_SILENT} == silent


def test_a_receiver_that_is_unplugged_is_one_alert_and_its_wearables_are_none(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.go(60, *range(12))
    station.links[RX].up = False
    station.go(3_600, own=False)
    assert station.kinds() == [(AlertKind.SERIAL_DOWN, f"link:{RX}")]
    assert list(station.faults) == []
    station.links[RX].up = True
    station.go(60, *range(12))
    assert station.kinds(Ended)[-1] == (AlertKind.SERIAL_DOWN, f"link:{RX}")
    assert len(station.kinds()) == 1


def test_a_receiver_that_is_deaf_is_a_fault_and_one_alert(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.go(60, *range(12))
    station.go(600, own=False)
    (fault,) = station.faults
    assert (fault.fault, fault.where) == ("receiver_silent", RX)
    assert "nothing is heard for 600 s" in fault.what
    assert station.kinds() == [(AlertKind.SERIAL_DOWN, f"link:{RX}")]
    station.go(60, *range(12))
    assert list(station.faults) == []


def test_what_is_known_is_saved_and_taken_up(tmp_path: Path) -> None:
    first = Station(tmp_path)
    first.go(60, *range(12))
    first.go(200, *range(1, 12))
    first.watch.save()
    assert checkpoint.load(first.file).devices.keys() == {device.id for device in first.devices}
    second = Station(tmp_path)
    second.go(100 + 2 * PARTS, *range(1, 12))
    assert second.kinds() == [(AlertKind.DEVICE_SILENT, "device:band-00")]


def test_that_it_cannot_be_saved_is_a_fault_with_its_end(tmp_path: Path) -> None:
    station = Station(tmp_path / "gone")
    station.watch.save()
    (fault,) = station.faults
    assert (fault.fault, fault.where) == ("checkpoint_unsaved", "checkpoint")
    (tmp_path / "gone").mkdir()
    station.watch.save()
    assert list(station.faults) == []
    assert checkpoint.load(station.file) != Checkpoint()
