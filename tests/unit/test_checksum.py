"""Every checksum against the value the CRC RevEng catalogue publishes for the nine digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.checksum import ALIASES, CHECKSUMS, CRCS, IN_C, by_table

NINE_DIGITS = b"123456789"
CATALOGUE = {
    "CRC-8/SMBUS": 0xF4,
    "CRC-8/ROHC": 0xD0,
    "CRC-8/MAXIM-DOW": 0xA1,
    "CRC-8/NRSC-5": 0xF7,
    "CRC-16/IBM-3740": 0x29B1,
    "CRC-16/XMODEM": 0x31C3,
    "CRC-16/KERMIT": 0x2189,
    "CRC-16/IBM-SDLC": 0x906E,
    "CRC-16/MCRF4XX": 0x6F91,
    "CRC-16/ARC": 0xBB3D,
    "CRC-16/MODBUS": 0x4B37,
    "CRC-32/ISO-HDLC": 0xCBF43926,
    "xor8": 0x31,
    "sum8": 0xDD,
    "sum16": 0x1DD,
    "lrc8": 0x23,
}


@pytest.mark.parametrize("name", CHECKSUMS)
def test_each_checksum_gives_the_catalogues_check_value(name: str) -> None:
    assert CHECKSUMS[name].of(NINE_DIGITS) == CATALOGUE[ALIASES.get(name, name)]


def test_an_alias_is_told_by_its_first_name() -> None:
    assert CHECKSUMS["CRC-16/CCITT-FALSE"].name == "CRC-16/IBM-3740"
    assert CHECKSUMS["CRC-16/X-25"].name == "CRC-16/IBM-SDLC"
    assert "CRC-16/CCITT" not in CHECKSUMS


@pytest.mark.parametrize("name", IN_C)
@given(content=st.binary(max_size=80))
def test_the_standard_librarys_c_agrees_with_the_table(name: str, content: bytes) -> None:
    assert IN_C[name](content) == by_table(CRCS[name])(content)


@pytest.mark.parametrize("name", CRCS)
@given(content=st.binary(min_size=1, max_size=40), at=st.integers(0, 319))
def test_one_flipped_bit_changes_every_crc(name: str, content: bytes, at: int) -> None:
    bit = at % (8 * len(content))
    flipped = bytearray(content)
    flipped[bit // 8] ^= 1 << bit % 8
    assert CHECKSUMS[name].of(bytes(flipped)) != CHECKSUMS[name].of(content)


def test_a_checksum_is_packed_in_either_byte_order() -> None:
    crc = CHECKSUMS["CRC-16/IBM-3740"]
    assert crc.packed(NINE_DIGITS, "big") == bytes.fromhex("29b1")
    assert crc.packed(NINE_DIGITS, "little") == bytes.fromhex("b129")
