"""Who is on the air: the strongest first, each with its rate, its last word, and whatever no profile knows."""

from pathlib import Path

from drivers.base import Instant, Packet, PacketKind
from drivers.registry import Profiles
from gateway.cli.onair import DEVICES, PARTS, RATE_MS, Entry, OnAir, entries
from gateway.cli.screen import rows
from gateway.roster import Device, Roster
from tests.support.receivers import RECEIVER

PROFILES = Profiles.load()
PAYLOAD = bytes.fromhex("98030311000109584861f00c6810")
ROSTER = Roster((Device(id="band-0001", address="C0:98:00:01:02:03"),))


def at(ms: int) -> Instant:
    return Instant(1_000_000 + ms, ms)


def entry(device: str = "c09800010203", ms: int = 0, rssi: int | None = -60, what: str = "x", text: str = "") -> Entry:
    return Entry(at(ms), "ble:hci0", device, rssi, what, text)


def packet(payload: bytes, key: int = 0xFFFF) -> Packet:
    return Packet("ble:hci0", PacketKind.MANUFACTURER, key, payload, at(5), "c09800010203", -60)


def test_a_packet_that_a_profile_knows_is_shown_decoded_what_happened_first() -> None:
    (shown,) = entries(packet(PAYLOAD), PROFILES)
    assert (shown.device, shown.rssi, shown.what) == ("c09800010203", -60, "398-reference")
    assert shown.text.startswith("sos, counter 17, fresh; worn true; ")
    assert "low_battery" not in shown.text  # it is not low


def test_what_is_unknown_or_refused_is_shown_as_hex() -> None:
    assert [(each.what, each.text) for each in entries(packet(b"\x01\x02", 0xABCD), PROFILES)] == [
        ("manufacturer data of company 0xABCD", "0102")
    ]
    assert [each.text for each in entries(packet(PAYLOAD[:4]), PROFILES)] == ["too_short: 98030311"]


def test_a_frame_that_passes_an_advert_on_is_shown_as_that(tmp_path: Path) -> None:
    (tmp_path / "receiver.yaml").write_text(RECEIVER)
    line = f"ADV C09800010203 -71 02010611ffffff{PAYLOAD.hex()}".encode()
    (shown,) = entries(Packet("serial:a", PacketKind.FRAME, "receiver", line, at(0)), Profiles.load(tmp_path))
    assert (shown.link, shown.device, shown.rssi, shown.what) == ("serial:a", "c09800010203", -71, "398-reference")


def test_the_strongest_is_on_top_and_the_roster_names_it() -> None:
    on_air = OnAir()
    for told in (entry(rssi=-80, text="sos"), entry("c09800010204", rssi=-40), entry("c09800010205", rssi=None)):
        on_air.hear(told)
    shown = list(rows(on_air, ROSTER, 3_000))
    assert [row[0][-1] for row in shown] == ["4", "3", "5"]
    assert shown[1] == ("c09800010203", "band-0001", "ble:hci0", "-80", "0.1", "3 s", "x: sos")


def test_a_device_keeps_the_latest_of_each_thing_that_it_says() -> None:
    on_air = OnAir()
    for told in (entry(what="a", text="1"), entry(what="b", text="2"), entry(what="a", text="3")):
        on_air.hear(told)
    assert [row[-1] for row in rows(on_air, ROSTER, 0)] == ["a: 3", "b: 2"]
    assert list(rows(on_air, ROSTER, 0))[1][:-1] == ("",) * 6
    for number in range(PARTS + 3):
        on_air.hear(entry(what=f"other {number}"))
    assert len(list(rows(on_air, ROSTER, 0))) == PARTS


def test_sections_of_one_advert_count_once_and_old_adverts_no_more() -> None:
    on_air = OnAir()
    for ms in range(0, RATE_MS, 500):
        on_air.hear(entry(ms=ms, what="a"))
        on_air.hear(entry(ms=ms, what="b"))
    (device,) = on_air
    assert device.rate(RATE_MS) == 2.0
    assert device.rate(2 * RATE_MS) == 0.0
    assert on_air.heard == 40


def test_those_of_longest_ago_are_forgotten() -> None:
    on_air = OnAir()
    on_air.hear(entry("first"))
    on_air.hear(entry("second"))
    on_air.hear(entry("first"))
    for number in range(DEVICES - 1):
        on_air.hear(entry(str(number)))
    assert len(on_air) == DEVICES
    assert {"first"} == {device.last.device for device in on_air} & {"first", "second"}
