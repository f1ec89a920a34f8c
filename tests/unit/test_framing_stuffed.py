"""slip, hdlc and cobs: frames whose ends are marked by a byte that cannot stand inside them."""

import pytest

from drivers.checksum import CHECKSUMS
from drivers.framing import SLIP_CODES, Check, CobsFraming, EscapedFraming, Framing, complemented
from tests.support.streams import broken, heard, one_by_one

SLIP = EscapedFraming(0xC0, 0xDB, SLIP_CODES, None, 40)
FCS = Check(CHECKSUMS["CRC-16/IBM-SDLC"], 0, "little")
HDLC = EscapedFraming(0x7E, 0x7D, complemented(0x20), FCS, 40)
JT808 = EscapedFraming(0x7E, 0x7D, {1: 0x7D, 2: 0x7E}, Check(CHECKSUMS["xor8"]), 40)
COBS = CobsFraming(None, 300)
CHECKED = CobsFraming(Check(CHECKSUMS["CRC-8/SMBUS"]), 20)

PUBLISHED = [
    # RFC 1055: C0 in a packet is sent as DB DC, DB as DB DD.
    (SLIP, "c001dbdc02dbdd03c0", "01c002db03"),
    # RFC 1662: an LCP configure request's head; 7D is sent as 7D 5D, 7E as 7D 5E, and 11 may be sent as 7D 31.
    (EscapedFraming(0x7E, 0x7D, complemented(0x20), None, 40), "7e7d5e7d5d7d31407e", "7e7d1140"),
    # JT/T 808-2011, 4.4.2: its own example of escaping, without the checksum.
    (EscapedFraming(0x7E, 0x7D, {1: 0x7D, 2: 0x7E}, None, 40), "7e307d02087d01557e", "307e087d55"),
    # Cheshire and Baker's examples, as the article "Consistent Overhead Byte Stuffing" in Wikipedia lists them.
    (COBS, "010100", "00"),
    (COBS, "01010100", "0000"),
    (COBS, "0102110100", "001100"),
    (COBS, "031122023300", "11220033"),
    (COBS, "051122334400", "11223344"),
    (COBS, "021101010100", "11000000"),
    (COBS, "ff" + bytes(range(1, 255)).hex() + "00", bytes(range(1, 255)).hex()),
    (COBS, "01ff" + bytes(range(1, 255)).hex() + "00", bytes(range(255)).hex()),
    (COBS, "ff" + bytes(range(1, 255)).hex() + "02ff00", bytes(range(1, 256)).hex()),
    (COBS, "ff" + bytes(range(2, 256)).hex() + "010100", bytes(range(2, 256)).hex() + "00"),
    (COBS, "fe" + bytes(range(3, 256)).hex() + "020100", bytes(range(3, 256)).hex() + "0001"),
]


@pytest.mark.parametrize(("framing", "frame", "body"), PUBLISHED)
def test_published_frames_are_read(framing: Framing, frame: str, body: str) -> None:
    octets = bytes.fromhex(frame)
    assert heard(framing, [octets]) == heard(framing, one_by_one(octets)) == [bytes.fromhex(body)]
    assert heard(framing, [framing.wrap(bytes.fromhex(body))]) == [bytes.fromhex(body)]


def test_a_check_sequence_stands_inside_the_flags() -> None:
    assert HDLC.wrap(b"123456789") == b"\x7e123456789\x6e\x90\x7e"
    assert heard(HDLC, [b"\x7e123456789\x6e\x90\x7e"]) == [b"123456789"]
    assert JT808.wrap(bytes.fromhex("307e087d55")) == bytes.fromhex("7e307d02087d01556e7e")


def test_a_checksum_that_is_the_flag_is_escaped_too() -> None:
    body = bytes([0x7E ^ 0x11, 0x11])
    assert JT808.wrap(body) == b"\x7e" + body + b"\x7d\x02\x7e"
    assert heard(JT808, one_by_one(JT808.wrap(body))) == [body]


def test_one_flag_may_end_a_frame_and_begin_the_next() -> None:
    one, two = HDLC.wrap(b"one"), HDLC.wrap(b"two")
    stream = one + two + one[:-1] + two + b"\x7e\x7e\x7e" + one
    assert heard(HDLC, [stream]) == heard(HDLC, one_by_one(stream)) == [b"one", b"two", b"one", b"two", b"one"]


def test_half_a_frame_costs_itself_and_nothing_after_it() -> None:
    frame = HDLC.wrap(b"frame")
    assert heard(HDLC, [frame[:4], frame]) == [("checksum", frame[1:4]), b"frame"]


@pytest.mark.parametrize(
    ("framing", "stream", "expected"),
    [
        (SLIP, "c001db02c0", ("coding", "01db02")),
        (SLIP, "c001dbc0", ("coding", "01db")),
        (JT808, "7e017d037e", ("coding", "017d03")),
        (JT808, "7e01027e", ("checksum", "0102")),
        (HDLC, "7e017e", ("too_short", "01")),
        (HDLC, "7e017d7e", ("coding", "017d")),
        (COBS, "05112200", ("coding", "051122")),
        (CHECKED, "03112200", ("checksum", "031122")),
        (CHECKED, "01" * 21 + "00", ("oversized", "01" * 20)),
    ],
)
def test_what_no_sender_writes_is_refused(framing: Framing, stream: str, expected: tuple[str, str]) -> None:
    octets, (reason, refused) = bytes.fromhex(stream), expected
    assert heard(framing, [octets]) == heard(framing, one_by_one(octets)) == [(reason, bytes.fromhex(refused))]


@pytest.mark.parametrize(
    ("framing", "octets", "sentence"),
    [
        (HDLC, "7e017e", "holds 1 bytes, fewer than its checksum takes"),
        (HDLC, "7e0102", "holds no end 7e"),
        (HDLC, "7e" + "01" * 41 + "7e", "is longer than 40 bytes"),
        (HDLC, broken(HDLC.wrap(b"a")[:-1]).hex() + "7e", "CRC-16/IBM-SDLC is f783, expected f782"),
        (SLIP, "c001db02c0", "holds an escape db with no code of this framing behind it"),
        (COBS, "05112200", "ends inside a block"),
        (COBS, "05", "holds no end 00"),
    ],
)
def test_the_bench_is_told_what_is_wrong(framing: Framing, octets: str, sentence: str) -> None:
    assert framing.explain(bytes.fromhex(octets)) == sentence
