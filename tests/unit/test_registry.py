"""The registry: which packets are known, which profile reads them, and what keeps a folder from being loaded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.base import BadFrame, BuzzPattern, Instant, Packet, PacketKind
from drivers.framing import LengthFraming
from drivers.marked import Refused
from drivers.registry import SHIPPED, Profiles
from tests.support.profiles import NAMES

PENDANT = """
profile: {name}
about: a pendant
source: this test
fields: {{pressed: {{at: 0, bit: 0}}}}
occurrences: [{{field: pressed, behaviour: level, means: sos}}]
bluetooth: {{service_data: {{uuid: "fff0", prefix: "{prefix}"}}}}
golden: [{{name: pressed, payload: "01", occurrences: [{{kind: sos, active: true}}]}}]
"""
FFF0 = "0000fff0-0000-1000-8000-00805f9b34fb"
PRESS = bytes.fromhex("0311000109584861f00c6810")


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Path]:
    """A folder of site profiles, by name and prefix."""

    def write(**profiles: str) -> Path:
        for name, prefix in profiles.items():
            (tmp_path / f"{name}.yaml").write_text(PENDANT.format(name=name, prefix=prefix))
        return tmp_path

    return write


def packet(kind: PacketKind, key: int | str, payload: bytes) -> Packet:
    return Packet("ble:hci0", kind, key, payload, Instant(0, 0), "c09800010203", -60)


def test_the_shipped_profiles_are_in_force() -> None:
    profiles = Profiles.load()
    assert profiles.names == NAMES
    assert isinstance(profiles.framing("398-reference"), LengthFraming)
    assert profiles.knows(PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03")
    assert not profiles.knows(PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x04")
    assert profiles.knows(PacketKind.FRAME, "398-reference", b"")
    assert not profiles.knows(PacketKind.MANUFACTURER, 0x0001, b"\x98\x03")
    assert not profiles.knows(PacketKind.SERVICE_DATA, FFF0, b"")


def test_a_packet_is_read_by_the_profile_that_knows_it() -> None:
    profiles = Profiles.load()
    decoded = profiles.decode(packet(PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03" + PRESS))
    assert decoded is not None
    assert (decoded.profile, decoded.address, decoded.rssi) == ("398-reference", "00010203", -60)
    framed = profiles.decode(packet(PacketKind.FRAME, "398-reference", bytes.fromhex("03020100bd") + PRESS))
    assert framed is not None
    assert (framed.address, framed.rssi, framed.said.readings) == ("00010203", -67, decoded.said.readings)


def test_a_packet_that_nobody_knows_is_none_and_a_broken_one_is_refused() -> None:
    profiles = Profiles.load()
    assert profiles.decode(packet(PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x04" + PRESS)) is None
    assert profiles.decode(packet(PacketKind.MANUFACTURER, 0x004C, b"\x98\x03" + PRESS)) is None
    assert profiles.decode(packet(PacketKind.CHARACTERISTIC, FFF0, PRESS)) is None
    with pytest.raises(BadFrame, match="too_short"):
        profiles.decode(packet(PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03" + PRESS[:-1]))


def test_an_advert_without_an_address_is_refused() -> None:
    nameless = Packet("ble:hci0", PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03" + PRESS, Instant(0, 0))
    with pytest.raises(BadFrame, match="no_address"):
        Profiles.load().decode(nameless)


def test_the_longest_prefix_wins(site: Callable[..., Path]) -> None:
    profiles = Profiles.load(site(short="40", long="4001"))
    assert set(profiles.names) == {*NAMES, "long", "short"}
    for payload, name in ((b"\x40\x01\x01", "long"), (b"\x40\x02", "short")):
        decoded = profiles.decode(packet(PacketKind.SERVICE_DATA, FFF0, payload))
        assert decoded is not None
        assert (decoded.profile, decoded.address) == (name, "c09800010203")


def test_two_profiles_that_cannot_be_told_apart_are_refused(site: Callable[..., Path]) -> None:
    with pytest.raises(Refused, match=r"second\.yaml.*already taken by .*first\.yaml"):
        Profiles.load(site(first="40", second="40"))


def test_a_site_profile_takes_a_shipped_ones_place(tmp_path: Path) -> None:
    text = (SHIPPED / "398-reference.yaml").read_text()
    (tmp_path / "ours.yaml").write_text(text.replace("company: 0xFFFF", "company: 0x0001"))
    profiles = Profiles.load(tmp_path)
    assert profiles.names == NAMES
    assert profiles.knows(PacketKind.MANUFACTURER, 0x0001, b"\x98\x03")
    assert not profiles.knows(PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03")


def test_one_name_twice_in_a_folder_is_refused(site: Callable[..., Path]) -> None:
    folder = site(first="40")
    (folder / "second.yaml").write_text(PENDANT.format(name="first", prefix="41"))
    with pytest.raises(Refused, match="the name of the profile 'first' is already taken"):
        Profiles.load(folder)


def test_the_problems_of_all_files_are_told_at_once(site: Callable[..., Path]) -> None:
    folder = site(first="40", second="xx", third="yy")
    with pytest.raises(Refused) as refused:
        Profiles.load(folder)
    assert {Path(problem.mark.file).name for problem in refused.value.problems} == {"second.yaml", "third.yaml"}


def test_an_absent_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file or directory"):
        Profiles.load(tmp_path / "absent")


def test_a_profile_without_a_way_gives_none_or_key_error(site: Callable[..., Path]) -> None:
    profiles = Profiles.load(site(first="40"))
    with pytest.raises(KeyError):
        profiles.framing("first")
    with pytest.raises(KeyError):
        profiles.framing("absent")
    assert profiles.buzz("first", "ble:hci0", "c09800010203", BuzzPattern.LONG) is None
    assert profiles.buzz("398-reference", "serial:x", "00010203", BuzzPattern.LONG) is not None
