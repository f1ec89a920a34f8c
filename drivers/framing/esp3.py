"""EnOcean Serial Protocol 3: a header with two lengths and its own checksum, data, optional data, a checksum of both.

55, data length (2 bytes, big-endian), optional length, packet type, CRC of these four; data; optional data; CRC.
55 may stand inside. Source: EnOcean Serial Protocol (ESP3) specification, enocean.com/esp.
"""

from dataclasses import dataclass

from drivers.checksum import CHECKSUMS
from drivers.framing.check import Check
from drivers.framing.contract import Deframer, Refusal
from drivers.framing.seek import FALSE_START, Broken, Found, Seeker, Verdict

SYNC = b"\x55"
HEADER = 6
CRC = Check(CHECKSUMS["CRC-8/SMBUS"])
RADIO_ERP1 = 1
RSSI_AT = 5
"""In the optional data of a radio telegram: how many dBm below 0 it was heard."""


@dataclass(frozen=True, slots=True)
class Esp3Framing:
    """The body is the strength at which the receiver heard it (i8 in dBm, 0 where it does not say), the packet type
    and the data; what else the optional data say is passed over. `longest` bounds the whole packet.
    """

    longest: int

    @property
    def starts(self) -> tuple[bytes, ...]:
        return (SYNC,)

    def deframer(self) -> Deframer:
        return Seeker(self)

    def judge(self, held: bytearray, at: int) -> Verdict:
        if len(held) - at < HEADER:
            return None
        header = bytes(held[at : at + HEADER])
        if not CRC.right(header[1:]):
            return FALSE_START
        data, size = _sizes(header)
        if size > self.longest:
            return Broken(Refusal.OVERSIZED, HEADER)
        if len(held) - at < size:
            return None
        rest = bytes(held[at + HEADER : at + size])
        if not CRC.right(rest):
            return Broken(Refusal.CHECKSUM, size)
        kind = header[4:5]
        return Found(size, _heard(kind, rest[data:-1]) + kind + rest[:data])

    def wrap(self, body: bytes) -> bytes:
        strength, kind, data = body[:1], body[1:2], body[2:]
        told = kind == bytes([RADIO_ERP1]) and strength != b"\0"
        optional = bytes([3, 0xFF, 0xFF, 0xFF, 0xFF, -strength[0] & 0xFF, 0]) if told else b""
        size = HEADER + len(data) + len(optional) + 1
        if size > self.longest or len(body) < 2:
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing")
        header = len(data).to_bytes(2, "big") + bytes([len(optional)]) + kind
        rest = data + optional
        return SYNC + header + CRC.packed(header) + rest + CRC.packed(rest)

    def claims(self, octets: bytes) -> bool:
        return octets.startswith(SYNC) and CRC.right(octets[1:HEADER])

    def explain(self, octets: bytes) -> str:
        begin = octets.find(SYNC)
        packet = octets[begin:]
        if begin < 0:
            return "holds no sync byte 55"
        if len(packet) < HEADER:
            return "ends inside its header"
        if wrong := CRC.explain(packet[1:HEADER]):
            return f"header: {wrong}"
        _, size = _sizes(packet)
        if size > self.longest:
            return f"claims {size} bytes, more than the {self.longest} of the longest frame"
        if len(packet) < size:
            return f"claims {size} bytes, {len(packet)} are there"
        return CRC.explain(packet[HEADER:size])


def _sizes(header: bytes) -> tuple[int, int]:
    """The size of the data, and of the whole packet."""
    data = int.from_bytes(header[1:3], "big")
    return data, HEADER + data + header[3] + 1


def _heard(kind: bytes, optional: bytes) -> bytes:
    """How strongly, as i8: a byte says how many dBm below 0; more than 128 counts as 128."""
    if kind[0] != RADIO_ERP1 or len(optional) <= RSSI_AT:
        return b"\0"
    return (-min(optional[RSSI_AT], 128)).to_bytes(1, "big", signed=True)
