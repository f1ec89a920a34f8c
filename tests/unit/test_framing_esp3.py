"""esp3: both checksums, 55 inside, the strength out of the optional data."""

import pytest

from drivers.framing import Esp3Framing
from drivers.framing.esp3 import CRC
from tests.support.streams import broken, heard, one_by_one

ESP3 = Esp3Framing(64)
SWITCH = bytes.fromhex("5500070701 7a f650002989 7930 01ffffffff3700 9d")
PRESS = bytes.fromhex("c901f6500029897930")


@pytest.mark.parametrize(
    ("packet", "body"),
    [
        # EnOceanSerialProtocol3.pdf, page 74, as kipe/enocean's test_packet.py holds it
        (
            "55000f07012bd2dddddddddddddddddd00803 5c40003ffffffff4d0036".replace(" ", ""),
            "b301d2dddddddddddddddddd008035c400",
        ),
        ("5500050005db010000000a54", "0005010000000a"),
        ("55000100 0570020e", "000502"),
        ("5500050002ce00ff800000da", "000200ff800000"),
        ("550019000 78d12120 7ffffffffff00000102030405060708090a0b0c0d0e0fda".replace(" ", ""),
         "0007121207ffffffffff00000102030405060708090a0b0c0d0e0f"),
        # test_packet.py: 55 inside the data
        ("5500050102db00ff9e55000a79", "000200ff9e5500"),
        # test_eep.py: a press heard at -55 dBm
        (SWITCH.hex(), "c901f6500029897930"),
    ],
)  # fmt: skip
def test_published_packets_are_read(packet: str, body: str) -> None:
    octets = bytes.fromhex(packet)
    assert heard(ESP3, [octets]) == heard(ESP3, one_by_one(octets)) == [bytes.fromhex(body)]
    assert heard(ESP3, [ESP3.wrap(bytes.fromhex(body))]) == [bytes.fromhex(body)]


def test_either_checksum_alone_refuses() -> None:
    header = bytearray(SWITCH)
    header[5] ^= 1
    assert heard(ESP3, [bytes(header), SWITCH]) == [("rubbish", bytes(header)), PRESS]
    assert heard(ESP3, [broken(SWITCH), SWITCH]) == [("checksum", broken(SWITCH)), PRESS]


def test_a_false_sync_before_and_inside_costs_nothing() -> None:
    stream = b"\x55\x55\x00" + SWITCH + SWITCH[:9] + SWITCH + SWITCH
    bodies = [each for each in heard(ESP3, [stream]) if isinstance(each, bytes)]
    assert bodies == [PRESS] * 3
    assert heard(ESP3, one_by_one(stream)) == heard(ESP3, [stream])


def test_lengths_beyond_the_longest_packet_are_refused_at_once() -> None:
    header = bytes.fromhex("5500ff0701")
    octets = header + CRC.packed(header[1:])
    assert heard(ESP3, [octets, SWITCH]) == [("oversized", octets), PRESS]


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        ("0102", "holds no sync byte 55"),
        ("5500", "ends inside its header"),
        ("550007070100", "header: CRC-8/SMBUS is 00, expected 7a"),
        (SWITCH[:-3].hex(), "claims 21 bytes, 18 are there"),
        (broken(SWITCH).hex(), "CRC-8/SMBUS is 9c, expected 9d"),
        ("00" + SWITCH.hex(), ""),
    ],
)
def test_the_bench_is_told_what_is_wrong(octets: str, sentence: str) -> None:
    assert ESP3.explain(bytes.fromhex(octets)) == sentence


def test_a_strength_below_what_a_byte_holds_is_the_least() -> None:
    quiet = ESP3.wrap(b"\x80" + PRESS[1:])
    assert heard(ESP3, [quiet]) == [b"\x80" + PRESS[1:]]
