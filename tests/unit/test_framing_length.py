"""start_length: start bytes, a length, a checksum, end bytes; and several such beginnings on one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame
from drivers.checksum import CHECKSUMS
from drivers.framing import KEPT, Check, Counts, Framing, LengthFraming, SeveralFramings, Tail
from tests.support.streams import broken, heard, one_by_one

CRC = Check(CHECKSUMS["CRC-16/IBM-3740"], 2, "little")
X25 = Check(CHECKSUMS["CRC-16/IBM-SDLC"], 2, "big")
REFERENCE = LengthFraming(b"\xa5\x5a", 2, 1, "little", Counts.BODY, Tail(CRC), 64)
CONCOX = LengthFraming(b"xx", 2, 1, "big", Counts.BODY_AND_CHECKSUM, Tail(X25, b"\r\n"), 80)
CONCOX_LONG = LengthFraming(b"yy", 2, 2, "big", Counts.BODY_AND_CHECKSUM, Tail(X25, b"\r\n"), 300)
EITHER = SeveralFramings((CONCOX, CONCOX_LONG))
TYPE_FIRST = LengthFraming(b"\x02", 2, 2, "big", Counts.FRAME, Tail(Check(CHECKSUMS["xor8"])), 300)
WHOLE = LengthFraming(b"\x02", 1, 1, "big", Counts.FRAME, Tail(None, b"\x03"), 40)
LITTLE = LengthFraming(b"\x7e", 1, 2, "little", Counts.BODY, Tail(), 300)

FRAME = bytes.fromhex("a55a1103020100bd0311000109584861f00c681084b0")
BODY = FRAME[3:-2]


def test_the_reference_frame_is_unwrapped_and_wrapped_as_the_design_prints_it() -> None:
    assert heard(REFERENCE, [FRAME]) == [BODY]
    assert heard(REFERENCE, one_by_one(FRAME)) == [BODY]
    assert REFERENCE.wrap(BODY) == FRAME
    assert REFERENCE.wrap(bytes.fromhex("03020100008001")) == bytes.fromhex("a55a07030201000080010c04")


def test_rubbish_around_frames_is_told_once_per_run() -> None:
    stream = b"\x00\x01" + FRAME + b"\xa5\xa5" + FRAME + FRAME + b"\xff"
    expected = [("rubbish", b"\x00\x01"), BODY, ("rubbish", b"\xa5\xa5"), BODY, BODY]
    assert heard(REFERENCE, [stream]) == expected
    assert heard(REFERENCE, one_by_one(stream)) == expected


def test_a_broken_frame_is_told_as_soon_as_its_last_byte_is_there() -> None:
    assert heard(REFERENCE, [broken(FRAME)]) == [("checksum", broken(FRAME))]
    assert heard(REFERENCE, [broken(FRAME) * 3]) == [("checksum", broken(FRAME))] * 3


def test_a_false_start_inside_a_broken_frame_is_no_second_refusal() -> None:
    frame = broken(REFERENCE.wrap(b"\x00\xa5\x5a\xf0" + bytes(20)))
    assert heard(REFERENCE, [frame]) == [("checksum", frame)]
    assert heard(REFERENCE, one_by_one(frame)) == [("checksum", frame)]


def test_a_good_frame_inside_the_span_of_a_broken_one_is_found() -> None:
    outside = b"\xa5\x5a\x20"
    stream = outside + FRAME + bytes(20)
    assert heard(REFERENCE, [stream])[:2] == [("checksum", outside), BODY]
    assert heard(REFERENCE, one_by_one(stream)) == heard(REFERENCE, [stream])


def test_half_a_frame_holds_the_next_one_back_no_longer_than_its_length_says() -> None:
    deframer = REFERENCE.deframer()
    assert deframer.feed(FRAME[:10]) == []
    assert deframer.feed(FRAME[:11]) == []
    found = deframer.feed(FRAME[11:])
    assert isinstance(found[0], BadFrame)
    assert (found[0].reason, found[0].payload, found[1:]) == ("checksum", FRAME[:10], [BODY])


def test_lengths_that_cannot_be_are_refused_at_once() -> None:
    assert heard(REFERENCE, [b"\xa5\x5a\xf0" + FRAME]) == [("oversized", b"\xa5\x5a\xf0"), BODY]
    assert heard(TYPE_FIRST, [bytes.fromhex("0207000400")]) == [("too_short", bytes.fromhex("02070004"))]


def test_what_stands_before_the_length_field_belongs_to_the_body() -> None:
    frame = bytes.fromhex("02070008616263") + bytes([0x02 ^ 0x07 ^ 0x08 ^ 0x61 ^ 0x62 ^ 0x63])
    assert TYPE_FIRST.wrap(b"\x07abc") == frame
    assert heard(TYPE_FIRST, [frame]) == [b"\x07abc"]


@pytest.mark.parametrize(
    ("framing", "frame", "body"),
    [
        (CONCOX, "7878050100059ff80d0a", "010005"),
        (EITHER, "7878050100059ff80d0a", "010005"),
        (EITHER, "797900089400000002e852d70d0a", "9400000002e8"),
        (WHOLE, "0206aabbcc03", "aabbcc"),
        (LITTLE, "7e0300aabbcc", "aabbcc"),
    ],
)
def test_lengths_of_one_and_two_bytes_in_either_order_with_and_without_an_end(
    framing: Framing, frame: str, body: str
) -> None:
    octets = bytes.fromhex(frame)
    assert heard(framing, [octets]) == heard(framing, one_by_one(octets)) == [bytes.fromhex(body)]


def test_each_of_several_beginnings_is_heard_and_the_first_that_can_carries_a_body() -> None:
    short, long = EITHER.wrap(b"abc"), EITHER.wrap(bytes(200))
    assert (short[:2], long[:2]) == (b"xx", b"yy")
    stream = b"\0" + short + b"\1" + long + broken(long)
    expected = [("rubbish", b"\0"), b"abc", ("rubbish", b"\1"), bytes(200), ("no_end", broken(long))]
    assert heard(EITHER, [stream]) == heard(EITHER, one_by_one(stream)) == expected
    with pytest.raises(ValueError, match="a body of 400 bytes"):
        EITHER.wrap(bytes(400))


@given(before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_a_good_frame_is_found_between_any_rubbish(before: bytes, after: bytes) -> None:
    assert BODY in heard(REFERENCE, [before, FRAME, after, bytes(64)])


@given(payload=st.binary(min_size=12, max_size=12), bit=st.integers(0, 8 * 22 - 1))
def test_one_flipped_bit_never_passes(payload: bytes, bit: int) -> None:
    frame = bytearray(REFERENCE.wrap(bytes.fromhex("03020100bd") + payload))
    frame[bit // 8] ^= 1 << bit % 8
    found = heard(REFERENCE, [bytes(frame), bytes(64)])
    assert not [each for each in found if isinstance(each, bytes) and len(each) >= 17]


@given(st.lists(st.binary(max_size=300) | st.sampled_from([FRAME, FRAME[:9], broken(FRAME), b"\xa5", bytes(600)])))
def test_every_byte_is_told_once(pieces: list[bytes]) -> None:
    stream = b"".join(pieces) + bytes(64)
    found = heard(REFERENCE, [stream])
    told = b"".join(REFERENCE.wrap(each) if isinstance(each, bytes) else each[1] for each in found)
    assert stream.startswith(told)
    assert len(stream) - len(told) < KEPT


@pytest.mark.parametrize(
    ("framing", "frame", "sentence"),
    [
        (REFERENCE, FRAME.hex(), ""),
        (REFERENCE, broken(FRAME).hex(), "CRC-16/IBM-3740 is 84b1, expected 84b0"),
        (REFERENCE, "0102", "holds no start a55a"),
        (REFERENCE, "a55a", "ends before its length field"),
        (REFERENCE, "a55af0", "claims 245 bytes, more than the 64 of the longest frame"),
        (REFERENCE, "a55a1100", "claims 22 bytes, 4 are there"),
        (TYPE_FIRST, "0207000400", "claims 4 bytes, fewer than start, length and checksum take"),
        (CONCOX, "7878050100059ff80d0d", "does not end in 0d0a after 10 bytes"),
        (CONCOX, "7878050100059ff90d0a", "CRC-16/IBM-SDLC is 9ff9, expected 9ff8"),
        (EITHER, "7979", "ends before its length field"),
        (EITHER, "0102", "holds none of the starts 7878, 7979"),
    ],
)
def test_the_bench_is_told_what_is_wrong_with_a_frame(framing: Framing, frame: str, sentence: str) -> None:
    assert framing.explain(bytes.fromhex(frame)) == sentence


def test_a_body_that_cannot_be_carried_is_refused() -> None:
    with pytest.raises(ValueError, match="a body of 60 bytes"):
        REFERENCE.wrap(bytes(60))
    with pytest.raises(ValueError, match="a body of 0 bytes"):
        TYPE_FIRST.wrap(b"")
