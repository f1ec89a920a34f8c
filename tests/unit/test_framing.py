"""Framings: good frames are found whatever stands around them, and what is refused is told once and bounded."""

import itertools
import sys
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame
from drivers.checksum import CHECKSUMS
from drivers.framing import KEPT, Counts, Framing, LengthFraming, LineFraming

CRC = CHECKSUMS["CRC-16/IBM-3740"]
X25 = CHECKSUMS["CRC-16/IBM-SDLC"]
REFERENCE = LengthFraming(b"\xa5\x5a", 2, 1, "little", Counts.BODY, CRC, 2, "little", 64)
CONCOX_LIKE = LengthFraming(b"xx", 2, 1, "big", Counts.BODY_AND_CHECKSUM, X25, 2, "big", 80)
TYPE_FIRST = LengthFraming(b"\x02", 2, 2, "big", Counts.FRAME, CHECKSUMS["xor8"], 0, "little", 300)
UNCHECKED = LengthFraming(b"\x7e", 1, 1, "big", Counts.BODY, None, 0, "big", 40)
LINES = LineFraming(b"\r\n", 60)
LENGTH_FRAMINGS = [REFERENCE, CONCOX_LIKE, TYPE_FIRST, UNCHECKED]

FRAME = bytes.fromhex("a55a1103020100bd0311000109584861f00c681084b0")
BODY = FRAME[3:-2]


def heard(framing: Framing, chunks: Iterable[bytes]) -> list[bytes | tuple[str, bytes]]:
    deframer = framing.deframer()
    found = [each for chunk in chunks for each in deframer.feed(chunk)]
    return [(each.reason, each.payload) if isinstance(each, BadFrame) else each for each in found]


def one_by_one(stream: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in stream]


def broken(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])


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


@pytest.mark.parametrize("framing", LENGTH_FRAMINGS)
@given(bodies=st.lists(st.binary(min_size=1, max_size=30), max_size=5), cuts=st.lists(st.integers(1, 40)))
def test_what_is_wrapped_is_heard_in_any_portions(framing: Framing, bodies: list[bytes], cuts: list[int]) -> None:
    assert heard(framing, portions(b"".join(map(framing.wrap, bodies)), cuts)) == bodies


@pytest.mark.parametrize("framing", [*LENGTH_FRAMINGS, LINES])
@given(
    pieces=st.lists(
        st.tuples(st.booleans(), st.binary(min_size=1, max_size=20) | st.sampled_from([b"\xa5", b"\r"])),
    ),
    cuts=st.lists(st.integers(1, 9)),
)
def test_any_bytes_give_the_same_in_any_portions(
    framing: Framing, pieces: list[tuple[bool, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(framing.wrap(piece) if whole and piece != b"\r" else piece for whole, piece in pieces)
    whole = heard(framing, [stream])
    assert heard(framing, portions(stream, cuts)) == whole
    assert heard(framing, one_by_one(stream)) == whole


def portions(stream: bytes, cuts: list[int]) -> list[bytes]:
    chunks, at = [], 0
    for cut in cuts:
        chunks.append(stream[at : at + cut])
        at += cut
    return [*chunks, stream[at:]]


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
def test_every_byte_is_told_once_and_what_is_refused_is_bounded(pieces: list[bytes]) -> None:
    stream = b"".join(pieces) + bytes(64)
    found = heard(REFERENCE, [stream])
    told = b"".join(REFERENCE.wrap(each) if isinstance(each, bytes) else each[1] for each in found)
    assert all(len(each[1]) <= KEPT for each in found if isinstance(each, tuple))
    assert stream.startswith(told)
    assert len(stream) - len(told) < KEPT


@pytest.mark.parametrize("unit", [b"\xa5", b"\xa5\x5a", b"\xa5\x5a\x3a", b"\xa5\x5a\x01", b"\x00"])
def test_rubbish_takes_linear_work_and_bounded_memory(unit: bytes) -> None:
    def calls(size: int, chunk: int) -> int:
        """Python and C calls made: work that no busy machine changes."""
        deframer, rubbish, made = REFERENCE.deframer(), unit * (size // len(unit)), itertools.count()
        sys.setprofile(lambda _frame, event, _arg: next(made) if event.endswith("call") else None)
        try:
            for at in range(0, size, chunk):
                deframer.feed(rubbish[at : at + chunk])
        finally:
            sys.setprofile(None)
        return next(made)

    assert calls(1 << 15, 1 << 15) < 9 * calls(1 << 12, 1 << 12) + 100
    assert calls(1 << 12, 1) < 64 << 12
    assert all(isinstance(each, BadFrame) for each in REFERENCE.deframer().feed(unit * 5000))


def test_a_line_is_cut_at_its_end_and_bounded() -> None:
    stream = b"one\r\n\r\n" + b"x" * 100 + b"\r\ntwo\rhalf\r\nthree"
    expected = [b"one", ("oversized", b"x" * 60), b"two\rhalf"]
    assert heard(LINES, [stream]) == expected
    assert heard(LINES, one_by_one(stream)) == expected


def test_an_endless_line_is_told_once_and_not_held() -> None:
    deframer = LINES.deframer()
    found = [each for _ in range(100) for each in deframer.feed(b"x" * 5000)]
    assert [each.reason for each in found if isinstance(each, BadFrame)] == ["oversized"]
    assert deframer.feed(b"\r\nnext\r\n") == [b"next"]


@pytest.mark.parametrize(
    ("framing", "body"), [(REFERENCE, bytes(60)), (TYPE_FIRST, b""), (LINES, b"a\r\nb"), (LINES, b"")]
)
def test_a_body_that_a_framing_cannot_carry_is_refused(framing: Framing, body: bytes) -> None:
    with pytest.raises(ValueError, match="a body of"):
        framing.wrap(body)


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
        (LINES, "61", "holds no end 0d0a"),
        (LINES, "61" * 61 + "0d0a", "is longer than 60 bytes"),
    ],
)
def test_the_bench_is_told_what_is_wrong_with_a_frame(framing: Framing, frame: str, sentence: str) -> None:
    assert framing.explain(bytes.fromhex(frame)) == sentence
