"""fixed: frames of one size, with and without a start."""

import pytest

from drivers.checksum import CHECKSUMS
from drivers.framing import Check, FixedFraming, Framing, Tail
from tests.support.streams import heard, one_by_one

SUM = Check(CHECKSUMS["sum8"], 1)
CARD = FixedFraming(b"\x02", 6, Tail(SUM, b"\x03"))
ENDED = FixedFraming(b"", 4, Tail(None, b"\r"))
CHECKED = FixedFraming(b"", 5, Tail(Check(CHECKSUMS["CRC-16/MODBUS"], 0, "little")))


def test_a_frame_has_its_start_its_checksum_and_its_end() -> None:
    frame = bytes.fromhex("02aabbcc3103")
    assert CARD.wrap(b"\xaa\xbb\xcc") == frame
    endless = frame[:-1] + b"\x07"
    stream = b"\x01" + frame + endless + frame[:4] + b"\x30\x03" + frame
    expected = [
        ("rubbish", b"\x01"),
        b"\xaa\xbb\xcc",
        ("no_end", endless),
        ("checksum", bytes.fromhex("02aabbcc3003")),
        b"\xaa\xbb\xcc",
    ]
    assert heard(CARD, [stream]) == heard(CARD, one_by_one(stream)) == expected


def test_without_a_start_the_end_alone_finds_the_frames_again() -> None:
    stream = b"abc\r" + b"x" + b"def\r" + b"ghi\r"
    expected = [b"abc", ("no_end", b"x"), b"def", b"ghi"]
    assert heard(ENDED, [stream]) == heard(ENDED, one_by_one(stream)) == expected


def test_without_a_start_the_checksum_alone_finds_the_frames_again() -> None:
    frames = CHECKED.wrap(b"abc") + b"\x00\x01" + CHECKED.wrap(b"def")
    assert heard(CHECKED, [frames]) == heard(CHECKED, one_by_one(frames)) == [b"abc", ("checksum", b"\0\1"), b"def"]


@pytest.mark.parametrize(
    ("framing", "frame", "sentence"),
    [
        (CARD, "02aabbcc3103", ""),
        (CARD, "0102aabbcc3103", ""),
        (CARD, "aa", "holds no start 02"),
        (CARD, "02aabb", "takes 6 bytes, 3 are there"),
        (CARD, "02aabbcc3104", "does not end in 03 after 6 bytes"),
        (CARD, "02aabbcc3003", "sum8 is 30, expected 31"),
        (ENDED, "6162630a", "does not end in 0d after 4 bytes"),
    ],
)
def test_the_bench_is_told_what_is_wrong_with_a_frame(framing: Framing, frame: str, sentence: str) -> None:
    assert framing.explain(bytes.fromhex(frame)) == sentence


def test_a_body_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="a body of 2 bytes does not fit this framing: it takes 3"):
        CARD.wrap(b"ab")
