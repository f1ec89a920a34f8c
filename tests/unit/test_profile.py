"""Profiles: the 398 reference format by its vectors, every construct of the reference page, and what is refused."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.base import (
    UNITS,
    BadFrame,
    BuzzPattern,
    Decoded,
    Instant,
    Level,
    Measurement,
    Metric,
    Occurrence,
    OccurrenceKind,
    Packet,
    PacketKind,
    Said,
)
from drivers.checksum import CHECKSUMS
from drivers.decoders.characteristics import DECODERS
from drivers.framing import Counts
from drivers.profile.compiled import Profile
from drivers.profile.golden import told, wording
from drivers.profile.kinds import Kind
from drivers.profile.load import load
from drivers.profile.model import BehaviourName
from drivers.profile.recognition import carriers
from tests.support.profiles import NAMES, SHIPPED, altered

ROOT = Path(__file__).parents[2]
REFERENCE = load(SHIPPED)
VECTORS = yaml.safe_load((ROOT / "tests/vectors/398-reference.yaml").read_text())
SOUND = VECTORS["sound"]
PAGE = (ROOT / "drivers/profiles/README.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NOW = Instant(0, 0)
CARRIER = carriers(REFERENCE.file.bluetooth)[0]
RUBBISH = bytes.fromhex("a5a55a00a55a0102")


def said(decoded: Decoded) -> tuple[dict[str, Any], list[str], tuple[str, ...]]:
    """A decoded packet in the words of the vectors."""
    values = {each.metric.value: each.value for each in decoded.said.readings if isinstance(each, Measurement)}
    happened = [wording(told(each)) for each in decoded.said.readings if isinstance(each, Occurrence)]
    return values, happened, decoded.said.absurd


def expected(vector: dict[str, Any]) -> tuple[dict[str, Any], list[str], tuple[str, ...]]:
    return vector["values"], vector["occurrences"], tuple(vector.get("absurd", ()))


def advert(payload: bytes, address: str = "c09800010203") -> Decoded:
    packet = Packet("ble:hci0", PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03" + payload, NOW, address, -60)
    return REFERENCE.advert(CARRIER, lambda _: None)(packet)


def over_serial(stream: bytes, *, chunk: int) -> list[Decoded]:
    assert REFERENCE.framing is not None
    deframer = REFERENCE.framing.deframer()
    heard = [each for at in range(0, len(stream), chunk) for each in deframer.feed(stream[at : at + chunk])]
    return [framed(each) for each in heard if isinstance(each, bytes)]


def framed(body: bytes) -> Decoded:
    assert REFERENCE.frame is not None
    return REFERENCE.frame(Packet("serial:x", PacketKind.FRAME, "398-reference", body, NOW))


@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_a_vector_says_the_same_as_an_advert(vector: dict[str, Any]) -> None:
    decoded = advert(bytes.fromhex(vector["payload"]), "c098" + vector["address"])
    assert said(decoded) == expected(vector)
    assert (decoded.address, decoded.rssi) == (vector["address"], -60)


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("around", [b"", RUBBISH], ids=["alone", "in rubbish"])
@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_a_vector_says_the_same_over_serial(vector: dict[str, Any], around: bytes, chunk: int) -> None:
    decoded = over_serial(around + bytes.fromhex(vector["serial"]) + around, chunk=chunk)
    assert [said(each) for each in decoded] == [expected(vector)]
    assert [(each.address, each.rssi) for each in decoded] == [(vector["address"], vector["rssi"])]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_a_refused_vector_says_why_and_spoils_nothing_after_it(vector: dict[str, Any]) -> None:
    assert REFERENCE.framing is not None
    good = bytes.fromhex(SOUND[0]["serial"])
    *heard, last = REFERENCE.framing.deframer().feed(bytes.fromhex(vector["serial"]) + good)
    reasons = [each.reason if isinstance(each, BadFrame) else reason_of(each) for each in heard]
    assert reasons[0] == vector["reason"]
    assert isinstance(last, bytes)
    assert said(framed(last)) == expected(SOUND[0])


def reason_of(body: bytes) -> str:
    with pytest.raises(BadFrame) as refused:
        framed(body)
    return refused.value.reason


def test_the_receivers_own_heartbeat_is_of_no_device_and_its_event_is() -> None:
    heartbeat = bytes.fromhex("0000000000" + "0100000000ff0000ff7fffff")
    assert framed(heartbeat) == Decoded("398-reference", None, 0, Said())
    pressed = framed(bytes.fromhex("0000000000" + "0301000100ff0000ff7fffff"))
    assert (pressed.address, said(pressed)[1]) == ("00000000", ["sos, counter 1, fresh", "low_battery, not active"])


@pytest.mark.parametrize("payload", ["0300000101ff0000ff7fffff", "0105000001ff0000ff7fffff"])
def test_a_counter_and_a_code_that_contradict_each_other_tell_no_occurrence(payload: str) -> None:
    _, occurrences, absurd = said(advert(bytes.fromhex(payload)))
    assert (occurrences, absurd) == (["low_battery, not active"], ("event",))


def test_a_buzz_is_written_as_each_link_takes_it() -> None:
    serial = REFERENCE.buzz("serial:x", "c09800010203", BuzzPattern.SHORT)
    assert serial is not None
    assert (serial.payload.hex(), serial.key) == ("a55a07030201000080010c04", None)
    ble = REFERENCE.buzz("ble:hci0", "c09800010203", BuzzPattern.LONG)
    assert ble is not None
    assert (ble.address, ble.payload, ble.key) == ("c09800010203", b"\x02", "00002a06-0000-1000-8000-00805f9b34fb")
    assert REFERENCE.buzz("replay:x", "c09800010203", BuzzPattern.LONG) is None


def test_an_address_that_the_framing_cannot_carry_is_not_buzzed(tmp_path: Path) -> None:
    path = altered(tmp_path, "rssi: {at: 4}", "rssi: {at: 4}")
    text = re.sub(r"start_length:.*?longest: 64", "line: {end: '0d0a', longest: 64}", path.read_text(), flags=re.DOTALL)
    path.write_text(
        re.sub(r"golden:.*", "golden: [{name: x, payload: '00', refused: too_short}]", text, flags=re.DOTALL)
    )
    profile = load(path)
    assert profile.buzz("serial:x", "00000d0a", BuzzPattern.SHORT) is not None
    assert profile.buzz("serial:x", "00000a0d", BuzzPattern.SHORT) is None


@given(st.binary(max_size=80))
def test_any_bytes_raise_bad_frame_or_nothing(payload: bytes) -> None:
    for read in (lambda octets: REFERENCE.read(octets, None, None), advert, framed):
        assert refusal(read, payload) in {None, "too_short"}


def refusal(read: Callable[[bytes], object], payload: bytes) -> str | None:
    try:
        read(payload)
    except BadFrame as refused:
        return refused.reason
    return None


@given(st.binary(min_size=12, max_size=40))
def test_what_is_read_is_in_bounds_and_of_the_right_type(payload: bytes) -> None:
    for each in REFERENCE.read(payload, None, None).readings:
        if isinstance(each, Measurement):
            assert isinstance(each.value, bool) == (each.metric in {Metric.WORN, Metric.MOVING, Metric.CHARGING})
            assert each.metric is not Metric.BATTERY_LEVEL or 0 <= each.value <= 100


@given(payload=st.binary(min_size=12, max_size=12), bit=st.integers(0, 8 * 22 - 1))
def test_a_frame_with_one_flipped_bit_never_yields_an_occurrence(payload: bytes, bit: int) -> None:
    assert REFERENCE.framing is not None
    frame = bytearray(REFERENCE.framing.wrap(bytes.fromhex("03020100bd") + payload))
    assume(bit < 8 * len(frame))
    frame[bit // 8] ^= 1 << bit % 8
    deframer = REFERENCE.framing.deframer()
    for each in deframer.feed(bytes(frame) + bytes(64)):
        if isinstance(each, bytes):
            assert reason_of(each) == "too_short"


def example(number: int) -> str:
    """An example of the reference page as a whole profile: as it stands, or in place of the first one's parts."""
    written = yaml.safe_load(EXAMPLES[number])
    if "profile" in written:
        return EXAMPLES[number]
    return yaml.safe_dump(yaml.safe_load(EXAMPLES[0]) | written, sort_keys=False)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_of_the_reference_page_loads_and_proves_itself(number: int, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example(number))
    assert load(path).name.startswith("example-")


def test_the_reference_page_names_every_type_checksum_and_kind() -> None:
    assert len(EXAMPLES) >= 10
    words = [*(each.value for each in (*OccurrenceKind, *Kind, *BehaviourName, *Counts)), *CHECKSUMS]
    assert [word for word in words if f"`{word}`" not in PAGE and f"### {word}:" not in PAGE] == []


def test_the_reference_page_has_every_shipped_profile_and_every_characteristic() -> None:
    rows = re.findall(r"^\| `([\w-]+)` (?:\| [^|]+ ){6}\|$", PAGE, re.MULTILINE)
    assert sorted(rows) == list(NAMES)
    table = PAGE.split("| characteristic |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(2a\w\w)`", table)) == {uuid[4:8] for uuid in DECODERS}


def test_an_absent_event_tells_nothing(tmp_path: Path) -> None:
    profile = load(altered(tmp_path, "event:            {at: 3,", "event:            {at: 3, absent: 0xFF,"))
    read = profile.read(bytes.fromhex("010100ff00ff0000ff7fffff"), None, None)
    occurrences = [each for each in read.readings if isinstance(each, Occurrence)]
    assert occurrences == [Occurrence(OccurrenceKind.LOW_BATTERY, Level(active=False))]


def test_an_identity_that_means_nothing_is_told_and_none_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "beacon.yaml").write_text(
        "profile: beacon\nabout: a pendant\nsource: made up\nbluetooth: {manufacturer: {company: 0xffff}}\n"
        "fields: {major: {at: 0, type: u16, absent: [65535]}}\n"
        "occurrences: [{field: major, behaviour: identity, equals: [7], means: sos}]\n"
        "golden:\n"
        "  - {name: alarms, payload: '0700', occurrences: [{kind: sos}]}\n"
        "  - {name: usual, payload: '0100', occurrences: [{kind: none}]}\n"
        "  - {name: has none, payload: 'ffff'}\n"
    )
    assert load(tmp_path / "beacon.yaml").name == "beacon"


def test_an_rssi_that_the_receiver_does_not_know_is_none(tmp_path: Path) -> None:
    profile = load(altered(tmp_path, "rssi: {at: 4}", "rssi: {at: 4, absent: -128}"))
    assert profile.frame is not None
    packet = Packet("serial:x", PacketKind.FRAME, profile.name, bytes.fromhex("0302010080" + SOUND[0]["payload"]), NOW)
    assert profile.frame(packet).rssi is None


def test_a_line_s_rssi_is_scaled_as_its_field_says_and_an_absurd_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "line.yaml"
    path.write_text(
        """
profile: half-decibels
about: a strength in half decibels above -74 dBm
source: this test
pattern: '(?P<id>[0-9a-f]{8}) (?P<level>[0-9a-f]{2})'
fields:
  id: {group: id}
  level: {group: level, type: hex, scale: 0.5, offset: -74}
serial: {framing: {line: {end: "0a", longest: 64}}, address: {field: id}, rssi: {field: level}}
golden:
  - {name: weak, line: "00010203 0a", address: "00010203", rssi: -69}
  - {name: stronger than can be, line: "00010203 ff", address: "00010203"}
"""
    )
    assert load(path).name == "half-decibels"


def test_the_reference_page_names_every_metric_with_its_unit() -> None:
    for metric, unit in UNITS.items():
        wanted = {"1": "a number", "mm[Hg]": "mmHg", "Cel": "Cel", "m/s2": "m/s²", "dB[mW]": "dBm"}.get(unit, unit)
        assert re.search(rf"\| [^|]*`{metric}`[^|]* \| [^|]*{re.escape(wanted)}", PAGE), metric


def test_numbers_of_mixed_order_and_overlapping_fields_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mixed.yaml"
    path.write_text(
        """
profile: mixed
about: overlapping fields in both orders
source: this test
order: big
fields:
  steps: {at: 0, type: u32, metric: steps}
  weight: {at: 1, type: i24, order: little, metric: body_weight}
  x: {at: 2, type: i8, metric: acceleration_x}
  lux: {at: 4, type: u64, metric: illuminance}
  y: {at: 4, type: i64, order: little, metric: acceleration_y}
  z: {at: 12, type: i32, metric: acceleration_z, scale: 0.25, offset: -1}
bluetooth: {service_data: {uuid: 0000FCD2-0000-1000-8000-00805F9B34FB}}
golden:
  - name: all at once
    payload: 01fe ff80 0000000200000000 fffffffe
    values: {steps: 33488768, body_weight: -8323074, acceleration_x: -1, illuminance: 8589934592,
             acceleration_y: 33554432, acceleration_z: -1.5}
"""
    )
    assert isinstance(load(path), Profile)
