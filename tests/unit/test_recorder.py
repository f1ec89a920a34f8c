"""The flight recorder: half a minute on either side of an alert, of its device and its link, within every bound."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from drivers.base import BadFrame, Decoded, Instant, Packet, PacketKind
from drivers.registry import Profiles
from drivers.replay import Replay
from gateway import recorder
from gateway.cli.street import Code, Kind
from gateway.health import Faults
from gateway.recorder import AFTER_MS, BEFORE_MS, LONGEST_MS, REST_MS, ROOM, Recorder
from tests.support.air import band
from tests.support.moments import WALL_MS, moment

ON_AIR, ON_WIRE = "ble:hci0", "serial:usb-398/0:1"
OWN, OTHER = "00000001", "00000002"


class Rig:
    """A recorder on a clock that goes only when told to. Packets are told apart by their signal strength."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "recordings"
        self.ms = 0
        self.faults = Faults(lambda: moment(0))
        self.recorder = Recorder(self.folder, self.now, self.faults)
        self._heard = 0

    def now(self) -> Instant:
        return Instant(WALL_MS + self.ms, 1_000_000 + self.ms)

    def hear(self, device: str | None = OTHER, link: str = ON_AIR, payload: bytes = b"\x98\x03") -> int:
        self._heard += 1
        packet = Packet(link, PacketKind.MANUFACTURER, 0xFFFF, payload, self.now(), "c09800000001", self._heard)
        self.recorder.heard(packet, device)
        return self._heard

    def reject(self, reason: str = "checksum") -> None:
        self.recorder.rejected(Packet(ON_WIRE, PacketKind.FRAME, "", b"\xa5\x5a", self.now()), reason)
        self.recorder.failed(ON_WIRE)

    def alert(self, link: str = ON_AIR, device: str = OWN, *, registered: bool = True) -> str:
        return self.recorder.alert(link, device, registered=registered)

    def to(self, ms: int) -> None:
        """Let the time pass, with a turn each second."""

        async def turning() -> None:
            while self.ms < ms:
                self.ms = min(ms, self.ms + 1_000)
                await self.recorder.turn()

        asyncio.run(turning())

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*"))

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def heard(self, name: str) -> list[int]:
        return [line["rssi"] for line in self.lines(name)]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_half_a_minute_before_and_half_a_minute_after_are_kept_and_the_alert_stands_at_thirty_seconds(rig: Rig) -> None:
    numbers = {}
    for ms in range(0, 100_000, 500):
        rig.to(ms)
        numbers[ms] = rig.hear()
        if ms == 50_000:
            name = rig.alert()
    wanted = [number for ms, number in numbers.items() if 50_000 - BEFORE_MS <= ms <= 50_000 + AFTER_MS]
    assert rig.heard(name) == wanted
    times = [line["t"] for line in rig.lines(name)]
    assert (times[0], times[-1], times[wanted.index(numbers[50_000])]) == (0.0, 60.0, 30.0)


def test_it_has_the_link_whole_and_the_device_over_every_link(rig: Rig) -> None:
    mine = [rig.hear(OWN), rig.hear(OTHER), rig.hear(None)]
    elsewhere = rig.hear(OWN, ON_WIRE)
    rig.hear(OTHER, ON_WIRE)
    name = rig.alert()
    rig.to(1_000)
    assert rig.heard(name) == [*mine, elsewhere]
    assert [line["link"] for line in rig.lines(name)] == [ON_AIR, ON_AIR, ON_AIR, ON_WIRE]


def test_its_name_says_when_where_and_of_what_and_nobody_else_may_read_it(rig: Rig) -> None:
    rig.hear(link=ON_WIRE)
    name = rig.alert(ON_WIRE)
    rig.to(1_000)
    assert name == "20261124T000000.000Z-serial-usb-398-0-1.alert.jsonl"
    assert rig.names() == [name]
    assert (rig.folder.stat().st_mode & 0o777, (rig.folder / name).stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_further_alert_on_the_link_prolongs_the_recording_for_a_while(rig: Rig) -> None:
    first = rig.alert()
    for ms in range(20_000, LONGEST_MS, 20_000):
        rig.to(ms)
        rig.hear()
        assert rig.alert(device=OTHER) == first
    rig.to(LONGEST_MS + 1_000)
    assert rig.alert() != first
    assert rig.lines(first)[-1]["t"] == (BEFORE_MS + LONGEST_MS - 20_000) / 1000


def test_each_link_has_its_own(rig: Rig) -> None:
    rig.hear(OTHER)
    rig.hear(OTHER, ON_WIRE)
    names = rig.alert(), rig.alert(ON_WIRE)
    rig.to(1_000)
    assert [rig.heard(name) for name in names] == [[1], [2]]


def test_a_flood_of_bad_frames_is_one_recording_in_ten_minutes_with_the_bytes_as_the_quarantine_has_them(
    rig: Rig,
) -> None:
    for ms in range(0, REST_MS + AFTER_MS, 250):
        rig.to(ms)
        rig.reject()
    (name,) = rig.names()
    assert name.endswith("-serial-usb-398-0-1.failure.jsonl")
    assert len(rig.lines(name)) == AFTER_MS // 250 + 1
    assert rig.lines(name)[0] | {"at": ""} == {"at": "", "link": ON_WIRE, "reason": "checksum", "hex": "a55a"}
    rig.to(REST_MS + AFTER_MS + 1_000)
    rig.reject()
    rig.to(rig.ms + 1_000)
    assert len(rig.names()) == 2


def test_an_alert_takes_the_place_of_a_failure_s_recording_and_no_failure_takes_an_alert_s(rig: Rig) -> None:
    rig.reject()
    rig.to(1_000)
    strange = rig.alert(ON_WIRE, registered=False)
    own = rig.alert(ON_WIRE)
    assert rig.alert(ON_WIRE, registered=False) == own
    rig.reject()
    rig.to(2_000)
    assert [name.split(".")[-2] for name in rig.names()] == ["failure", "alert"]
    assert strange not in rig.names()  # it was over before anything was written
    assert len(rig.lines(own)) == 2


def test_nothing_is_written_while_nothing_happens(rig: Rig) -> None:
    for ms in range(0, 10_000, 100):
        rig.to(ms)
        rig.hear()
    assert rig.names() == []


def test_a_stop_keeps_what_was_heard_so_far(rig: Rig) -> None:
    name = rig.alert()
    rig.hear()
    asyncio.run(rig.recorder.close())
    assert rig.heard(name) == [1]


def test_a_recording_is_bounded_and_its_second_half_is_for_the_alert_s_own_device(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FILE_MAX", 20_000)
    name = rig.alert()
    for ms in range(0, 25_000, 100):
        rig.to(ms)
        rig.hear(OTHER)
    others = len(rig.lines(name))
    assert 9_000 < (rig.folder / name).stat().st_size < 10_300
    rig.hear(OWN)
    rig.hear(OTHER)
    rig.to(26_000)
    assert len(rig.lines(name)) == others + 1
    for _ in range(200):
        rig.hear(OWN)
    rig.to(27_000)
    assert 19_000 < (rig.folder / name).stat().st_size < 20_300


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FILE_MAX", 1_000)
    monkeypatch.setattr(recorder, "ROOM", dict.fromkeys(ROOM, 3_000))


@pytest.mark.usefixtures("little_room")
def test_the_oldest_recordings_go_and_neither_strangers_nor_noise_push_out_a_wearer_s(rig: Rig) -> None:
    own = rig.alert()
    rig.hear(payload=bytes(300))
    for _ in range(8):
        rig.to(rig.ms + LONGEST_MS + 1_000)
        rig.alert(registered=False)
        rig.hear(payload=bytes(300))
    rig.to(rig.ms + 1_000)
    kept = [name.split(".")[-2] for name in rig.names()]
    assert kept == ["alert", "stranger", "stranger", "stranger"]
    assert rig.names()[0] == own
    latest = rig.names()[1:]
    assert latest == sorted(latest)
    assert sum((rig.folder / name).stat().st_size for name in latest) <= 3_000


def test_a_disk_that_refuses_costs_the_recording_and_nothing_else(rig: Rig) -> None:
    rig.folder.write_text("in the way")
    rig.alert()
    rig.hear()
    rig.to(1_000)
    (fault,) = rig.faults
    assert (rig.recorder.lost, fault.fault, fault.where) == (1, "recording_unsaved", "recorder")
    assert fault.what == f"{rig.folder}: File exists"
    rig.folder.unlink()
    number = rig.hear()
    rig.to(2_000)
    assert len(rig.faults) == 0
    assert rig.heard(rig.names()[0]) == [number]


class Listening:
    def __init__(self, profiles: Profiles) -> None:
        self.profiles = profiles
        self.said: list[Decoded | str | None] = []

    def packet(self, packet: Packet) -> None:
        try:
            self.said.append(self.profiles.decode(packet))
        except BadFrame as bad:
            self.said.append(bad.reason)

    def rejected(self, link: str, reason: str, payload: bytes, received: Instant) -> None:
        self.said.append(f"{link} {reason}")


def test_a_recording_replays_to_what_was_heard_through_the_profiles_in_force(rig: Rig) -> None:
    profiles, sender = Profiles.load(), band(1)
    sender.press(Code.SOS, 0.0)
    event = b"\x98\x03" + sender.payload(Kind.EVENT)
    frame = sender.number.to_bytes(4, "little") + b"\xbd" + sender.payload(Kind.EVENT)
    advert = Packet(ON_AIR, PacketKind.MANUFACTURER, 0xFFFF, event, rig.now(), sender.address, -67)
    packets = [
        advert,
        Packet(ON_AIR, PacketKind.MANUFACTURER, 0xFFFF, event[:8], rig.now(), sender.address, -67),
        Packet(ON_AIR, PacketKind.MANUFACTURER, 0x0059, event, rig.now(), sender.address, None),
        Packet(ON_AIR, PacketKind.FRAME, "398-reference", frame, rig.now()),
    ]
    live, again = Listening(profiles), Listening(profiles)
    for packet in packets:
        live.packet(packet)
        rig.recorder.heard(packet, None)
    name = rig.alert()
    rig.ms += 1
    asyncio.run(rig.recorder.turn())
    text = (rig.folder / name).read_text().replace('"t":30.0', '"t":0')
    (rig.folder / name).write_text(text)

    async def replayed() -> None:
        playing = asyncio.create_task(Replay("replay:flight", rig.folder / name, rig.now).run(again, lambda: None))
        async with asyncio.timeout(5):
            while len(again.said) < len(packets):
                await asyncio.sleep(0.005)
        playing.cancel()

    asyncio.run(replayed())
    assert again.said == live.said
    decoded = [isinstance(each, Decoded) for each in live.said]
    assert decoded == [True, False, False, True]
