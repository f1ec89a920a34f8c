"""MiBeacon: published frames, sealed ones, hostile ones, and presses that come again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Instant, Packet, PacketKind
from drivers.decoders.mibeacon import DECODER, decode, parts
from drivers.decoders.mibeacon_objects import KEY, LEVELS, NUMBERS, PRESSED
from drivers.registry import Profiles
from gateway.episodes import Verdict
from tests.support.ccm import sealed
from tests.support.presses import Device
from tests.support.vectors import Vector, found, holds, is_cut, key, load, payload, refusal, shows, stated

SOUND, REFUSED = load("mibeacon")
FE95 = "0000fe95-0000-1000-8000-00805f9b34fb"
SENDER, SECRET = "a4c138580102", bytes.fromhex("814aac74c4f17b6c1581e1ab87816b99")
PRESS = bytes.fromhex("011003000000")
KNOWN = st.sampled_from(sorted({*NUMBERS, *PRESSED, *LEVELS, KEY, 0x1012}))
OBJECTS = st.lists(
    st.tuples(KNOWN, st.binary(max_size=12)).map(lambda each: _object(*each)), max_size=3
).map(b"".join)  # fmt: skip


def _object(identity: int, value: bytes) -> bytes:
    return identity.to_bytes(2, "little") + bytes([len(value)]) + value


def seal(objects: bytes, counter: int, *, named: bool = False) -> bytes:
    """A sealed frame of version 5, by Xiaomi's code and RFC 3610."""
    product, count, address = b"\x34\x12", counter.to_bytes(4, "little"), bytes.fromhex(SENDER)[::-1]
    closed = sealed(SECRET, address + product + count, objects, b"\x11")
    head = (b"\x58\x50" if named else b"\x48\x50") + product + count[:1] + (address if named else b"")
    return head + closed[:-4] + count[1:] + closed[-4:]


@pytest.mark.parametrize("vector", SOUND, ids=lambda vector: vector["name"])
def test_a_vector_says_what_its_source_states_and_no_more_when_it_is_cut_short(vector: Vector) -> None:
    holds(decode, vector)
    shows(parts, vector)
    is_cut(decode, vector)


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_a_refused_vector_says_why(vector: Vector) -> None:
    for read in DECODER:
        assert refusal(read, payload(vector), vector.get("sender"), key(vector)) == vector["reason"]


def test_the_shipped_profile_reads_adverts_and_sealed_ones_with_the_key_of_their_sender() -> None:
    profiles = Profiles.load(key_of={SENDER: SECRET}.get)
    packet = Packet("ble:hci0", PacketKind.SERVICE_DATA, FE95, seal(PRESS, 9), Instant(0, 0), SENDER)
    decoded = profiles.decode(packet)
    assert decoded is not None
    assert (decoded.profile, decoded.address) == ("mibeacon", SENDER)
    assert found(decoded.said) == stated(
        {"occurrences": ["button, press single, button 1, key 265"], "auth": "ok", "counter": 9}
    )


def test_a_frame_of_nothing_but_presses_tells_a_few() -> None:
    assert len(decode(plain(1) + PRESS * 200, None, None).readings) == 16


@given(st.binary(max_size=64), st.sampled_from([None, SECRET]))
def test_any_bytes_are_read_or_refused(octets: bytes, secret: bytes | None) -> None:
    for head in ("", "4050", "4850", "7850", "5820"):
        frame = bytes.fromhex(head) + octets
        assert refusal(parts, frame, SENDER, secret) == refusal(decode, frame, SENDER, secret)


@given(objects=OBJECTS, rest=st.binary(max_size=2))
def test_objects_are_read_one_behind_the_other(objects: bytes, rest: bytes) -> None:
    frame = bytes.fromhex("4050 3412 01") + objects + rest
    shown = parts(frame, None, None)
    assert "".join(each.octets for each in shown) == frame.hex()


@given(objects=OBJECTS, counter=st.integers(0, 2**32 - 1), named=st.booleans())
def test_what_another_implementation_seals_is_opened(objects: bytes, counter: int, named: bool) -> None:
    said = found(decode(seal(objects, counter, named=named), SENDER, SECRET))
    assert (said["auth"], said["counter"], said["address"]) == ("ok", counter, SENDER if named else None)
    assert said["values"] == found(decode(bytes.fromhex("4050 3412 01") + objects, None, None))["values"]


@given(counter=st.integers(0, 2**32 - 1), bit=st.integers(0, 8 * 17 - 1), named=st.booleans())
def test_a_sealed_frame_with_one_flipped_bit_says_what_was_sealed_or_no_press_that_is_believed(
    counter: int, bit: int, named: bool
) -> None:
    """Most bits of the frame control are no part of what is sealed: they change nothing."""
    frame = bytearray(seal(PRESS, counter, named=named))
    whole = found(decode(bytes(frame), SENDER, SECRET))
    frame[bit // 8] ^= 1 << bit % 8
    if refusal(decode, bytes(frame), SENDER, SECRET) is None:
        said = found(decode(bytes(frame), SENDER, SECRET))
        if said["auth"] == "ok":
            assert said == whole
        else:
            assert said["auth"] == "downgraded" or not said["occurrences"]


def plain(counter: int) -> bytes:
    return bytes.fromhex("4050 3412") + bytes([counter]) + PRESS


def test_the_burst_of_three_seconds_is_one_press_and_the_next_burst_another() -> None:
    device = Device(decode, SENDER, SECRET)
    for number in range(3):
        burst = [device.hear(plain(number), 5000 * number + at) for at in range(0, 3000, 200)]
        assert burst == [[Verdict.PRESS]] + [[Verdict.COPY]] * 14


def test_a_sealed_press_whose_frame_counter_came_round_is_new() -> None:
    device = Device(decode, SENDER, SECRET)
    assert [device.hear(seal(PRESS, 7 + 256 * lap), 60_000 * lap) for lap in range(5)] == [[Verdict.PRESS]] * 5


def test_a_press_in_the_open_does_not_use_up_the_sealed_one() -> None:
    device = Device(decode, SENDER, SECRET)
    assert device.hear(plain(7), 0) == [Verdict.PRESS]
    assert device.hear(seal(PRESS, 7), 1000) == [Verdict.PRESS]
