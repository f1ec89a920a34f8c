"""The registry: which packets are known, which profile reads them, and what keeps a folder from being loaded."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from drivers.base import BadFrame, BuzzPattern, Instant, Packet, PacketKind
from drivers.framing import LengthFraming
from drivers.marked import Refused
from drivers.profile.connect import Connect
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
    assert profiles.knows(PacketKind.MANUFACTURER, 0xFFFF)
    assert profiles.knows(PacketKind.FRAME, "398-reference")
    assert not profiles.knows(PacketKind.MANUFACTURER, 0x0001)
    assert not profiles.knows(PacketKind.SERVICE_DATA, FFF0)


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


def uuid(short: str) -> str:
    return f"0000{short}-0000-1000-8000-00805f9b34fb"


def test_what_a_device_is_connected_for_is_what_all_its_profiles_ask_for() -> None:
    profiles, rate, battery = Profiles.load(), uuid("180d"), uuid("180f")
    assert profiles.connect([rate], {}, {}) == Connect(
        "heart-rate", (uuid("2a37"),), (uuid("2a19"),), 30 * 60_000, alerts=False
    )
    both = profiles.connect([battery, rate], {}, {})
    assert both is not None
    assert (both.notify, both.read, both.poll_ms) == ((uuid("2a37"),), (uuid("2a19"),), 30 * 60_000)
    assert profiles.connect([], {0xFFFF: b"\x98\x03" + PRESS}, {}) is None
    assert profiles.connect([uuid("1802")], {}, {}) is None


def test_the_profile_that_can_buzz_a_device_speaks_for_it_and_its_occurrences_let_it_go_first() -> None:
    asked = Profiles.load().connect([uuid("180d")], {0xFFFF: b"\x98\x03" + PRESS}, {})
    assert asked is not None
    assert (asked.profile, asked.alerts) == ("398-reference", True)


def test_a_device_may_be_connected_for_what_its_adverts_hold(tmp_path: Path) -> None:
    text = PENDANT.format(name="bonded", prefix="40")
    asks = 'connect: {read: ["2a19"], pair: true}'
    (tmp_path / "a.yaml").write_text(text.replace('prefix: "40"}}', f'prefix: "40"}}, {asks}}}'))
    profiles = Profiles.load(tmp_path)
    asked = Connect("bonded", (), (uuid("2a19"),), None, alerts=True, pair=True)
    assert profiles.connect([], {}, {FFF0: b"\x40\x01"}) == asked
    assert profiles.connect([], {}, {FFF0: b"\x41\x01"}) is None


def test_a_characteristic_is_read_for_the_profile_that_speaks_for_its_device() -> None:
    profiles = Profiles.load()
    told = packet(PacketKind.CHARACTERISTIC, uuid("2a37"), b"\x06\x48")
    for name, read_as in (("398-reference", ("398-reference", "00010203")), (None, ("heart-rate", "c09800010203"))):
        decoded = profiles.decode(msgspec.structs.replace(told, profile=name))
        assert decoded is not None
        assert (decoded.profile, decoded.address) == read_as
    nameless = msgspec.structs.replace(told, address=None)
    with pytest.raises(BadFrame, match="no_address"):
        profiles.decode(nameless)


def test_a_passive_scan_looks_for_what_the_profiles_know(site: Callable[..., Path]) -> None:
    patterns = Profiles.load(site(first="40")).patterns()
    manufacturer, service_data = (0xFF, b"\xff\xff\x98\x03"), (0x16, b"\xf0\xff\x40")
    assert {manufacturer, service_data, (0x02, b"\x0d\x18"), (0x03, b"\x0d\x18")} <= set(patterns)
    assert len(set(patterns)) == len(patterns)


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
    assert profiles.knows(PacketKind.MANUFACTURER, 0x0001)
    assert not profiles.knows(PacketKind.MANUFACTURER, 0xFFFF)


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
