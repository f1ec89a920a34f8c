"""Promise 4 over boxes: who walks between two stations presses once, and the platform knows it for one press."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.cli.street import Code, Kind, Wearable, advert_line, serial_frame
from tests.support.air import band
from tests.support.cloud import Cloud
from tests.support.consumer import Consumer
from tests.support.daemon import Daemon
from tests.support.mosquitto import Mosquitto
from tests.support.processes import wait_for
from tests.support.receiver import Receiver

KEYS = "SELECT count(key), count(DISTINCT key) FROM press"


class District:
    """Two stations on one broker: east hears by a serial receiver, west by radio, and its roster has one band."""

    def __init__(self, folder: Path, broker: Mosquitto, opened: ExitStack, more: str) -> None:
        (folder / "fleet").write_text("大同\n", encoding="utf-8")
        os.mkfifo(folder / "air")
        self._receiver = opened.enter_context(Receiver(folder / "rx"))
        links = {"east": f"serial: [{{port: {folder}/rx, name: rx}}]", "west": f"replay: [{{file: {folder}/air}}]"}
        self.east, self.west = (opened.enter_context(Cloud(broker, name, name=name)) for name in links)
        self.desk = opened.enter_context(Consumer(folder, broker))
        for (name, link), devices in zip(links.items(), (4, 1), strict=True):
            box = Daemon(folder / name, [broker.url], station=name, devices=devices, more=f"{link}\n{more}")
            daemon = opened.enter_context(box)
            wait_for(lambda daemon=daemon: daemon.log(event="link up"), 5)  # type: ignore[misc]
        self._air = opened.enter_context((folder / "air").open("r+b", buffering=0))

    def hear(self, pressed: Wearable, *, east: bool = True, west: bool = True) -> None:
        """Some frames of its latest press reach those stations."""
        for _ in range(5):
            if east:
                self._receiver.write(serial_frame(pressed.number, pressed.payload(Kind.EVENT)))
            if west:
                self._air.write(advert_line(pressed.address, pressed.payload(Kind.EVENT)))

    def joined(self, rows: int) -> list[list[str]]:
        """Where each press was heard, as the desk has it once the stations told of `rows` presses in all."""
        question = "SELECT group_concat(source, ' ') FROM press GROUP BY joined ORDER BY min(rowid)"
        wait_for(lambda: self.desk.rows("SELECT count(*) FROM press") == [(rows,)], 10, f"{rows} presses")
        return [sorted(stations.split()) for (stations,) in self.desk.rows(question)]


@pytest.fixture
def district(request: pytest.FixtureRequest, tmp_path: Path, broker: Mosquitto) -> Iterator[District]:
    with ExitStack() as opened:
        yield District(tmp_path, broker, opened, request.param)


@pytest.mark.parametrize("district", ["fleet_key: {file: ../fleet}"], indirect=True)
def test_a_press_that_two_stations_heard_is_one_press_with_one_key(district: District) -> None:
    """One hears the low half of the band's address, the other all of it, and one does not know the visitor."""
    known, visitor = band(1), band(2)
    for press in (1, 2):
        known.press(Code.SOS, 0.0)
        district.hear(known)
        assert district.joined(2 * press) == [["east", "west"]] * press
    assert district.desk.rows(KEYS) == [(4, 2)]
    visitor.press(Code.SOS, 0.0)
    district.hear(visitor)
    assert district.joined(6) == [["east", "west"]] * 3
    east = district.east.wait(lambda c: c.alerts(wearer="w-0002", registered=True))[0]
    west = district.west.wait(lambda c: c.alerts(wearer=None, registered=False))[0]
    assert east["id"] != west["id"]
    assert (len(district.desk.told("press")), len(district.desk.told("also"))) == (3, 3)
    assert district.east.breaches + district.west.breaches == []


@pytest.mark.parametrize("district", ["fleet_key: {file: ../fleet}"], indirect=True)
def test_who_walks_on_and_presses_there_has_pressed_anew(district: District) -> None:
    walker = band(1)
    for east in (True, False, True):
        walker.press(Code.SOS, 0.0)
        district.hear(walker, east=east, west=not east)
    assert sorted(district.joined(3)) == [["east"], ["east"], ["west"]]
    assert len(district.desk.told("press")) == 3


@pytest.mark.parametrize("district", [""], indirect=True)
def test_without_a_fleet_key_a_wearer_and_half_a_minute_join_her_presses_and_a_stranger_s_stay_apart(
    district: District,
) -> None:
    known, visitor = band(1), band(2)
    for press in (1, 2):
        known.press(Code.SOS, 0.0)
        district.hear(known)
        assert district.joined(2 * press) == [["east", "west"]] * press
    assert district.desk.rows(KEYS) == [(0, 0)]
    visitor.press(Code.SOS, 0.0)
    district.hear(visitor)
    assert sorted(district.joined(6)) == [["east"], ["east", "west"], ["east", "west"], ["west"]]
