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
    BadFrame,
    BuzzPattern,
    Counter,
    Decoded,
    Edge,
    Instant,
    Level,
    Measurement,
    Metric,
    Occurrence,
    OccurrenceKind,
    Packet,
    PacketKind,
)
from drivers.checksum import CHECKSUMS
from drivers.framing import Counts
from drivers.marked import Refused
from drivers.profile.compiled import Profile
from drivers.profile.load import load
from drivers.profile.model import BehaviourName, NumberType

ROOT = Path(__file__).parents[2]
REFERENCE = load(ROOT / "drivers/profiles/398-reference.yaml")
VECTORS = yaml.safe_load((ROOT / "tests/vectors/398-reference.yaml").read_text())
SOUND = VECTORS["sound"]
PAGE = (ROOT / "drivers/profiles/README.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NOW = Instant(0, 0)
RUBBISH = bytes.fromhex("a5a55a00a55a0102")


def said(decoded: Decoded) -> tuple[dict[str, Any], list[str], tuple[str, ...]]:
    """A decoded packet in the words of the vectors."""
    values = {each.metric.value: each.value for each in decoded.readings if isinstance(each, Measurement)}
    return values, [words(each) for each in decoded.readings if isinstance(each, Occurrence)], decoded.absurd


def words(occurrence: Occurrence) -> str:
    terms = [occurrence.kind.value]
    match occurrence.behaviour:
        case Counter(value=value, fresh=fresh):
            terms += [f"counter={value}", *(["fresh"] if fresh else [])]
        case Level(active=active):
            terms += ["active" if active else "inactive"]
        case Edge(key=key):
            terms += [f"key={key}"]
    terms += [f"window={occurrence.window_ms}"] if occurrence.window_ms else []
    terms += [f"service={occurrence.service}"] if occurrence.service else []
    return " ".join(terms)


def expected(vector: dict[str, Any]) -> tuple[dict[str, Any], list[str], tuple[str, ...]]:
    return vector["values"], vector["occurrences"], tuple(vector.get("absurd", ()))


def advert(payload: bytes, address: str = "c09800010203") -> Decoded:
    packet = Packet("ble:hci0", PacketKind.MANUFACTURER, 0xFFFF, b"\x98\x03" + payload, NOW, address, -60)
    return REFERENCE.advert(b"\x98\x03")(packet)


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
    assert framed(heartbeat) == Decoded("398-reference", None, 0, ())
    pressed = framed(bytes.fromhex("0000000000" + "0301000100ff0000ff7fffff"))
    assert (pressed.address, said(pressed)[1]) == ("00000000", ["sos counter=1 fresh", "low_battery inactive"])


@pytest.mark.parametrize("payload", ["0300000101ff0000ff7fffff", "0105000001ff0000ff7fffff"])
def test_a_counter_and_a_code_that_contradict_each_other_tell_no_occurrence(payload: str) -> None:
    _, occurrences, absurd = said(advert(bytes.fromhex(payload)))
    assert (occurrences, absurd) == (["low_battery inactive"], ("event",))


def test_a_buzz_is_written_as_each_link_takes_it() -> None:
    serial = REFERENCE.buzz("serial:x", "c09800010203", BuzzPattern.SHORT)
    assert serial is not None
    assert (serial.payload.hex(), serial.key) == ("a55a07030201000080010c04", None)
    ble = REFERENCE.buzz("ble:hci0", "c09800010203", BuzzPattern.LONG)
    assert ble is not None
    assert (ble.address, ble.payload, ble.key) == ("c09800010203", b"\x02", "00002a06-0000-1000-8000-00805f9b34fb")
    assert REFERENCE.buzz("replay:x", "c09800010203", BuzzPattern.LONG) is None


@given(st.binary(max_size=80))
def test_any_bytes_raise_bad_frame_or_nothing(payload: bytes) -> None:
    for read in (REFERENCE.read, advert, framed):
        try:
            read(payload)
        except BadFrame as refused:
            assert refused.reason == "too_short"  # noqa: PT017  # the other outcome is to be read


@given(st.binary(min_size=12, max_size=40))
def test_what_is_read_is_in_bounds_and_of_the_right_type(payload: bytes) -> None:
    for each in REFERENCE.read(payload)[0]:
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
    """An example of the reference page, as a whole profile."""
    return yaml.safe_dump(yaml.safe_load(EXAMPLES[0]) | yaml.safe_load(EXAMPLES[number]), sort_keys=False)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_of_the_reference_page_loads_and_proves_itself(number: int, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(example(number))
    assert load(path).name == "example-pendant"


def test_the_reference_page_names_every_type_checksum_and_kind() -> None:
    assert len(EXAMPLES) >= 10
    words = [*(each.value for each in (*OccurrenceKind, *NumberType, *BehaviourName, *Counts)), *CHECKSUMS]
    assert [word for word in words if f"`{word}`" not in PAGE and f"### {word}:" not in PAGE] == []


@pytest.fixture
def altered(tmp_path: Path) -> Callable[[str, str], Path]:
    """The shipped profile with one change."""

    def alter(old: str, new: str) -> Path:
        text = (ROOT / "drivers/profiles/398-reference.yaml").read_text()
        assert text.count(old) == 1
        path = tmp_path / "altered.yaml"
        path.write_text(text.replace(old, new))
        return path

    return alter


SOS_FRAME, LEVEL, LENGTH = "name: SOS pressed, worn", "field: low_battery", "longest: 64"
MISTAKES = [  # what is changed, to what, where that is told (where it was changed, if not stated), and in which words
    ("metric: worn}", "metric: wornn}", "", "worn"),
    ("metric: spo2,", "metric: heart_rate,", "spo2:  ", "already read from the field 'heart_rate'"),
    ("bit: 0, metric: worn", "metric: worn", "", "true or false"),
    ("{at: 4, bit: 3, metric: moving}", "{at: 4, bit: 8}", "", "bits 0 to 7"),
    ("{at: 4, bit: 3, metric: moving}", "{at: 4, bit: 3, metric: steps}", "", "one bit"),
    ("{at: 4, bit: 3, metric: moving}", "{at: 4, bit: 3, bits: [1, 2]}", "", "both bit and bits"),
    ("absent: 0x7FFF", "absent: 0xFFFF", "", "-1 in i16"),
    ("{1: heartbeat", "{256: heartbeat", "", "0 to 255"),
    ("min: 20, max: 250", "min: 250, max: 20", "", "min 250 is above max 20"),
    ("type: i16", "type: i17", "", "i16"),
    ("order: little\n", "order: little\nleast: 11\n", "least: 11", "least: 12 or more"),
    ("counter: {field: counter,", "counter: {field: countr,", "", "the nearest is 'counter'"),
    ("{field: kind, is: event}, wrap", "{field: kind, is: evnt}, wrap", "", "the nearest is 'event'"),
    ("{field: kind, is: event}, wrap", "{field: knd, is: event}, wrap", "", "the nearest is 'kind'"),
    ("wrap: 65535", "wrap: 65536", "", "65535 or less"),
    ("{at: 1, type: u16}", "{at: 1, type: i16}", "counter: {field", "unsigned number"),
    ("behaviour: counter", "behaviour: identity", "", "not supported by this release"),
    ("    behaviour: level\n", "", LEVEL, "behaviour"),
    ("      0: none\n", "", "1: sos\n", "nothing happened"),
    ("{kind: service_request, service: ride}", "service_request", "5: service_request", "names its service"),
    ("3: fall_cancelled", "3: {kind: fall_cancelled, window: 2s}", "", "only a fall"),
    ("window: 20s}\n      3", "window: soon}\n      3", "", "500ms, 20s or 2min"),
    ("      9: tamper", "      900: tamper", "", "0 to 255"),
    ("    means: low_battery\n", "", LEVEL, "needs 'means'"),
    ("    means: low_battery\n", "    means: low_battery\n    key: kind\n", "key: kind", "no use for 'key'"),
    ("    means: low_battery\n", "    means: none\n", "", "cannot mean 'none'"),
    ("behaviour: level\n", "behaviour: edge\n    codes: {0: none}\n", LEVEL, "either 'codes' or 'means'"),
    ('prefix: "9803"', "prefix: 9803", "", "in quotes"),
    ("CRC-16/IBM-3740", "CRC-16/IBM-3741", "", "CRC-16/IBM-3740"),
    ("longest: 64", "longest: 10", "", "allow for the payload"),
    ("address_bits: 32", "address_bits: 48", "address: {at: 0, size: 4}", "address_bits: 32"),
    ('start: "a55a"', 'start: "a55aa5"', "length: {at: 2", "write at: 3"),
    (LENGTH, LENGTH + "\n    line: {end: '0a', longest: 9}", "start_length:", "exactly one way"),
    ('receiver: {address: "00000000"', 'receiver: {address: "000000000000"', "", "8 digits"),
    ("  payload: {at: 5}", "  payload: {at: 3}", "", "stand in front of the payload"),
    ('  manufacturer: {company: 0xFFFF, prefix: "9803"}\n', "", "buzz:   ", "no advert section"),
    ("heart_rate: 72, spo2: 97,", "heart_rate: 73, spo2: 97,", SOS_FRAME, "heart_rate is stated as 73, decoded as 72"),
    ("{kind: sos, counter: 17, fresh: true}, ", "", SOS_FRAME, "decodes to 'sos, counter 17, fresh', which is not"),
    ("kind: sos, counter: 17", "kind: sos, counter: 18", SOS_FRAME, "states 'sos, counter 18, fresh', which is not"),
    ("    rssi: -67\n", "    rssi: -68\n", SOS_FRAME, "rssi is stated as -68, decoded as -67"),
    ("    refused: too_short", "    refused: checksum", "name: cut short", "is refused as too_short"),
    ("    refused: too_short\n", "", "name: cut short", "stated to be read"),
    ("    refused: too_short", "    refused: too_short\n    manufacturer: '00'", "name: cut short", "not_recognised"),
    ("80010c04", "80010c05", "{buzz: short", "written as a55a07030201000080010c04"),
    ("source: defined", "sauce: defined", "", "sauce"),
]


@pytest.mark.parametrize(("old", "new", "at", "words"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_place(
    altered: Callable[[str, str], Path], old: str, new: str, at: str, words: str
) -> None:
    path = altered(old, new)
    with pytest.raises(Refused) as refused:
        load(path)
    text = path.read_text()
    told = [problem for problem in refused.value.problems if words in str(problem)]
    assert told, str(refused.value)
    assert all(problem.mark.file == str(path) and problem.cure for problem in told)
    assert (
        text.splitlines()[told[0].mark.line - 1]
        == text[text.rindex("\n", 0, text.index(at or new)) + 1 :].split("\n")[0]
    )


def test_every_mistake_is_told_at_once(altered: Callable[[str, str], Path]) -> None:
    path = altered("wrap: 65535", "wrap: 65536")
    path.write_text(path.read_text().replace("longest: 64", "longest: 10").replace("absent: 0x7FFF", "absent: 0xFFFF"))
    with pytest.raises(Refused) as refused:
        load(path)
    assert len(refused.value.problems) == 3


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
    payload: 01fe ff80 0000000000000002 fffffffe
    values: {steps: 33488768, body_weight: -8323074, acceleration_x: -1, illuminance: 2,
             acceleration_y: 144115188075855872, acceleration_z: -1.5}
"""
    )
    assert isinstance(load(path), Profile)
