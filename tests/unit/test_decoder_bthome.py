"""BTHome: published frames, sealed ones, hostile ones, and the field's trouble with presses nobody made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Instant, Packet, PacketKind
from drivers.decoders.bthome import DECODER, decode, parts
from drivers.decoders.bthome_objects import COUNTED, NUMBERS
from drivers.registry import Profiles
from gateway.episodes import COPY_MS, Verdict
from tests.support.ccm import sealed
from tests.support.presses import Device
from tests.support.vectors import Vector, found, holds, is_cut, key, load, payload, refusal, shows

SOUND, REFUSED = load("bthome")
FCD2 = "0000fcd2-0000-1000-8000-00805f9b34fb"
SENDER, KEY = "5448e68f80a5", bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
OBJECTS = st.lists(
    st.sampled_from(sorted(NUMBERS)).flatmap(
        lambda each: st.binary(min_size=NUMBERS[each].size, max_size=NUMBERS[each].size).map(bytes([each]).__add__)
    ),
    max_size=6,
).map(b"".join)


def seal(objects: bytes, counter: int, info: int = 0x45) -> bytes:
    """A sealed frame, by the page and RFC 3610."""
    head, count = bytes([info]), counter.to_bytes(4, "little")
    closed = sealed(KEY, bytes.fromhex(SENDER) + b"\xd2\xfc" + head + count, objects)
    return head + closed[:-4] + count + closed[-4:]


@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_a_vector_says_what_its_source_states_and_no_more_when_it_is_cut_short(vector: Vector) -> None:
    holds(decode, vector)
    shows(parts, vector)
    is_cut(decode, vector)


def test_every_object_of_the_table_has_a_vector() -> None:
    seen = {payload(vector)[1] for vector in SOUND if len(payload(vector)) > 1 and payload(vector)[0] == 0x40}
    assert {*NUMBERS, *COUNTED} <= seen


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_a_refused_vector_says_why(vector: Vector) -> None:
    for read in DECODER:
        assert refusal(read, payload(vector), vector.get("sender"), key(vector)) == vector["reason"]


def test_the_shipped_profile_reads_adverts_and_sealed_ones_with_the_key_of_their_sender() -> None:
    profiles = Profiles.load(key_of={SENDER: KEY}.get)
    frame = seal(bytes.fromhex("0007 3a01"), 9)
    decoded = profiles.decode(Packet("ble:hci0", PacketKind.SERVICE_DATA, FCD2, frame, Instant(0, 0), SENDER))
    assert decoded is not None
    assert (decoded.profile, decoded.address) == ("bthome", SENDER)
    assert found(decoded.said)["auth"] == "ok"
    assert len(found(decoded.said)["occurrences"]) == 1


def test_a_frame_of_nothing_but_presses_tells_a_few() -> None:
    assert len(decode(b"\x40" + b"\x3a\x01" * 800, None, None).readings) == 16


@given(st.binary(max_size=64), st.sampled_from([None, KEY]))
def test_any_bytes_are_read_or_refused(octets: bytes, secret: bytes | None) -> None:
    for head in (b"", b"\x40", b"\x41", b"\x46"):
        reason = refusal(decode, head + octets, SENDER, secret)
        assert refusal(parts, head + octets, SENDER, secret) == reason


@given(objects=OBJECTS, rest=st.binary(max_size=3))
def test_objects_are_read_one_behind_the_other(objects: bytes, rest: bytes) -> None:
    shown = parts(b"\x40" + objects + b"\xfe" + rest, None, None)
    assert "".join(each.octets for each in shown[1:-1]) == objects.hex()
    assert shown[-1].octets == (b"\xfe" + rest).hex()


@given(objects=OBJECTS, counter=st.integers(0, 2**32 - 1), info=st.sampled_from([0x41, 0x45]))
def test_what_another_implementation_seals_is_opened(objects: bytes, counter: int, info: int) -> None:
    said = found(decode(seal(objects, counter, info), SENDER, KEY))
    assert (said["auth"], said["counter"]) == ("ok", counter)
    assert said["values"] == found(decode(b"\x40" + objects, None, None))["values"]


@given(counter=st.integers(0, 2**32 - 1), bit=st.integers(0, 8 * 13 - 1))
def test_a_sealed_frame_with_one_flipped_bit_says_nothing(counter: int, bit: int) -> None:
    frame = bytearray(seal(bytes.fromhex("3a01 3a04"), counter))
    frame[bit // 8] ^= 1 << bit % 8
    reason = refusal(decode, bytes(frame), SENDER, KEY)
    if bit == 0:  # no longer marked as encrypted: a downgrade, of which every press is forwarded and marked
        assert found(decode(bytes(frame), SENDER, KEY))["auth"] == "downgraded"
    else:
        assert reason in {"decryption", "version", "too_short"}


def button(packet: int, event: int = 1) -> bytes:
    """A frame of a Shelly BLU Button1."""
    return bytes([0x44, 0x00, packet & 0xFF, 0x01, 0x5E, 0x3A, event])


def test_a_beacon_that_only_counts_raises_nothing() -> None:
    """home-assistant/core#95892: after a press, a packet every 8 s with a packet id of its own and the event "none"."""
    device = Device(decode, SENDER, KEY)
    assert device.hear(button(0x21), 0) == [Verdict.PRESS]
    assert [device.hear(button(0x21 + n, 0), 8000 * n) for n in range(1, 600)] == [[]] * 599


def test_the_copies_of_a_burst_over_two_radios_are_one_press() -> None:
    """AlexxIT/XiaomiGateway3#1039: every radio reports the same press."""
    device = Device(decode, SENDER, KEY)
    verdicts = [device.hear(button(0x21), at) for at in range(0, 5000, 100) for _radio in ("hci0", "hci1")]
    assert verdicts == [[Verdict.PRESS]] + [[Verdict.COPY]] * 99


def test_no_press_is_lost_to_the_one_before() -> None:
    """home-assistant/core#96605: presses in quick succession, each with its own packet id."""
    device = Device(decode, SENDER, KEY)
    verdicts = [device.hear(button(packet), 300 * packet) for packet in range(40)]
    assert verdicts == [[Verdict.PRESS]] * 40


def test_the_same_packet_id_with_other_contents_is_read_and_raises() -> None:
    """pvvx/ATC_MiThermometer#740: packet 176 twice with temperature and humidity, then with voltage and a contact."""
    device = Device(decode, SENDER, KEY)
    assert device.hear(bytes.fromhex("40 00b0 0151 028d0a 038d11"), 0) == []
    assert device.hear(bytes.fromhex("40 00b0 0c200b 1000 3a01"), 10) == [Verdict.PRESS]
    assert device.hear(bytes.fromhex("40 00b0 0c200b 1000 3a02"), 20) == [Verdict.PRESS]
    assert device.hear(bytes.fromhex("40 00b0 0c1f0b 1000 3a02"), 30) == [Verdict.PRESS]


def test_the_256th_press_after_the_first_is_not_taken_for_its_copy() -> None:
    device = Device(decode, SENDER, KEY)
    laps = [device.hear(button(n), 2000 * n) for n in range(257)]
    assert laps == [[Verdict.PRESS]] * 257
    assert COPY_MS > 2000 * 256


def test_a_sealed_press_a_lap_of_packet_ids_later_is_new_even_if_nothing_was_heard_in_between() -> None:
    device = Device(decode, SENDER, KEY)
    assert device.hear(seal(button(7)[1:], 1000), 0) == [Verdict.PRESS]
    assert device.hear(seal(button(7)[1:], 1256), 60_000) == [Verdict.PRESS]


def test_copies_of_a_press_that_are_sealed_anew_are_one_press() -> None:
    device = Device(decode, SENDER, KEY)
    verdicts = [device.hear(seal(button(7)[1:], 1030 + n), 100 * n) for n in range(20)]
    assert verdicts == [[Verdict.PRESS]] + [[Verdict.COPY]] * 19


def test_a_press_in_the_open_does_not_use_up_the_sealed_one() -> None:
    device = Device(decode, SENDER, KEY)
    assert device.hear(button(7), 0) == [Verdict.PRESS]
    assert device.hear(seal(button(7)[1:], 7), 1000) == [Verdict.PRESS]


def test_without_a_packet_id_half_a_minute_of_silence_is_between_two_presses() -> None:
    device = Device(decode, SENDER, KEY)
    verdicts = [device.hear(bytes.fromhex("40 3a01"), at) for at in (0, 1000, 29_000, 70_000)]
    assert verdicts == [[Verdict.PRESS], [Verdict.COPY], [Verdict.COPY], [Verdict.PRESS]]
