"""Checksums by name: CRCs as the CRC RevEng catalogue calls them, and the sums that small receivers use."""

import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from operator import xor
from typing import Literal


@dataclass(frozen=True, slots=True)
class Crc:
    """A CRC's parameters as the catalogue states them; `reflected` stands for both refin and refout."""

    width: int
    poly: int
    init: int
    reflected: bool
    xorout: int


@dataclass(frozen=True, slots=True)
class Checksum:
    """`of(content)` is the checksum as a number, which takes `size` bytes on the wire."""

    name: str
    size: int
    of: Callable[[bytes], int]

    def packed(self, content: bytes, order: Literal["little", "big"]) -> bytes:
        return self.of(content).to_bytes(self.size, order)


CRCS = {
    "CRC-8/SMBUS": Crc(8, 0x07, 0x00, False, 0x00),
    "CRC-8/ROHC": Crc(8, 0x07, 0xFF, True, 0x00),
    "CRC-8/MAXIM-DOW": Crc(8, 0x31, 0x00, True, 0x00),
    "CRC-8/NRSC-5": Crc(8, 0x31, 0xFF, False, 0x00),
    "CRC-16/IBM-3740": Crc(16, 0x1021, 0xFFFF, False, 0x0000),
    "CRC-16/XMODEM": Crc(16, 0x1021, 0x0000, False, 0x0000),
    "CRC-16/KERMIT": Crc(16, 0x1021, 0x0000, True, 0x0000),
    "CRC-16/IBM-SDLC": Crc(16, 0x1021, 0xFFFF, True, 0xFFFF),
    "CRC-16/MCRF4XX": Crc(16, 0x1021, 0xFFFF, True, 0x0000),
    "CRC-16/ARC": Crc(16, 0x8005, 0x0000, True, 0x0000),
    "CRC-16/MODBUS": Crc(16, 0x8005, 0xFFFF, True, 0x0000),
    "CRC-32/ISO-HDLC": Crc(32, 0x04C11DB7, 0xFFFFFFFF, True, 0xFFFFFFFF),
}

ALIASES = {
    "CRC-8": "CRC-8/SMBUS",
    "CRC-8/MAXIM": "CRC-8/MAXIM-DOW",
    "CRC-16": "CRC-16/ARC",
    "CRC-16/CCITT-FALSE": "CRC-16/IBM-3740",
    "CRC-16/X-25": "CRC-16/IBM-SDLC",
    "CRC-32": "CRC-32/ISO-HDLC",
}
"""Other names that the catalogue lists and vendors' sheets use. `CRC-16/CCITT` is none: sheets mean several by it."""

# The same parameters where the standard library computes them in C.
IN_C: dict[str, Callable[[bytes], int]] = {
    "CRC-16/IBM-3740": lambda content: binascii.crc_hqx(content, 0xFFFF),
    "CRC-16/XMODEM": lambda content: binascii.crc_hqx(content, 0x0000),
    "CRC-32/ISO-HDLC": zlib.crc32,
}


def by_table(crc: Crc) -> Callable[[bytes], int]:
    """The CRC computed a byte at a time from a table of 256 entries, for any parameters."""
    return partial(_reflected if crc.reflected else _plain, crc, tuple(_entry(crc, byte) for byte in range(256)))


def _mirrored(number: int, width: int) -> int:
    return int(f"{number:0{width}b}"[::-1], 2)


def _entry(crc: Crc, byte: int) -> int:
    top, mask = 1 << (crc.width - 1), (1 << crc.width) - 1
    register = (_mirrored(byte, 8) if crc.reflected else byte) << (crc.width - 8)
    for _ in range(8):
        register = ((register << 1) ^ (crc.poly if register & top else 0)) & mask
    return _mirrored(register, crc.width) if crc.reflected else register


def _plain(crc: Crc, table: tuple[int, ...], content: bytes) -> int:
    shift, mask = crc.width - 8, (1 << crc.width) - 1
    register = crc.init
    for byte in content:
        register = ((register << 8) & mask) ^ table[(register >> shift) ^ byte]
    return register ^ crc.xorout


def _reflected(crc: Crc, table: tuple[int, ...], content: bytes) -> int:
    register = _mirrored(crc.init, crc.width)
    for byte in content:
        register = (register >> 8) ^ table[(register ^ byte) & 0xFF]
    return register ^ crc.xorout


def _xor8(content: bytes) -> int:
    return reduce(xor, content, 0)


def _sum8(content: bytes) -> int:
    return sum(content) & 0xFF


def _sum16(content: bytes) -> int:
    return sum(content) & 0xFFFF


def _lrc8(content: bytes) -> int:
    return -sum(content) & 0xFF


CHECKSUMS = {
    **{name: Checksum(name, crc.width // 8, IN_C.get(name) or by_table(crc)) for name, crc in CRCS.items()},
    "xor8": Checksum("xor8", 1, _xor8),
    "sum8": Checksum("sum8", 1, _sum8),
    "sum16": Checksum("sum16", 2, _sum16),
    "lrc8": Checksum("lrc8", 1, _lrc8),
}
CHECKSUMS |= {alias: CHECKSUMS[name] for alias, name in ALIASES.items()}
