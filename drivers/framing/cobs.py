"""Consistent overhead byte stuffing: no zero stands inside a frame, and one ends it.

A frame is a chain of blocks. A block's first byte says how far it is to the next one; where that is less than 255,
a zero of the body stands between the two (Cheshire and Baker, 1999).
"""

from dataclasses import dataclass

from drivers.framing.check import Check, closed, explained, opened
from drivers.framing.contract import Deframer, Refusal
from drivers.framing.cut import Cutter, first_piece

ZERO = b"\0"
FULL = 0xFF
"""A block of 254 bytes that no zero follows."""


@dataclass(frozen=True, slots=True)
class CobsFraming:
    """A body and its checksum (or none), stuffed. `longest` bounds the stuffed bytes without the zero at their end."""

    check: Check | None
    longest: int

    def deframer(self) -> Deframer:
        return Cutter(ZERO, self.longest, self._opened)

    def wrap(self, body: bytes) -> bytes:
        stuffed = _stuffed(closed(self.check, body))
        if len(stuffed) > self.longest:
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing")
        return stuffed + ZERO

    def claims(self, octets: bytes) -> bool:
        return octets.endswith(ZERO)

    def explain(self, octets: bytes) -> str:
        piece, wrong = first_piece(octets, ZERO, self.longest)
        if wrong:
            return wrong
        content = _unstuffed(piece)
        return "ends inside a block" if content is None else explained(self.check, content)

    def _opened(self, piece: bytes) -> bytes | Refusal:
        content = _unstuffed(piece)
        return Refusal.CODING if content is None else opened(self.check, content)


def _unstuffed(piece: bytes) -> bytes | None:
    """None where the last block is cut short."""
    content, at = bytearray(), 0
    while at < len(piece):
        code = piece[at]
        content += piece[at + 1 : at + code]
        at += code
        if code < FULL and at < len(piece):
            content += ZERO
    return bytes(content) if at == len(piece) else None


def _stuffed(content: bytes) -> bytes:
    stuffed = bytearray()
    for part in content.split(ZERO):
        at = 0
        while len(part) - at >= FULL - 1:
            stuffed += bytes([FULL]) + part[at : at + FULL - 1]
            at += FULL - 1
        stuffed += bytes([len(part) - at + 1]) + part[at:]
    return bytes(stuffed)
