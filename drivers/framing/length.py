"""Frames of start bytes, a length field, a body, a checksum and end bytes."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Literal

from drivers.framing.check import Tail
from drivers.framing.contract import Deframer, Refusal
from drivers.framing.seek import Broken, Found, Seeker, Verdict


class Counts(StrEnum):
    """What the number in a length field counts."""

    BODY = "body"
    """The bytes between the length field and the checksum."""
    BODY_AND_CHECKSUM = "body_and_checksum"
    FRAME = "frame"
    """The whole frame, from its first start byte to the last end byte."""


@dataclass(frozen=True)
class LengthFraming:
    """Start bytes, a length field, a body, a tail.

    What stands between the start and the length field belongs to the body, in front of what follows the length
    field. `longest` bounds the whole frame, in bytes.
    """

    start: bytes
    length_at: int
    length_size: int
    length_order: Literal["little", "big"]
    counts: Counts
    tail: Tail
    longest: int

    @cached_property
    def starts(self) -> tuple[bytes, ...]:
        return (self.start,)

    @cached_property
    def header(self) -> int:
        """Bytes up to and with the length field."""
        return self.length_at + self.length_size

    @cached_property
    def uncounted(self) -> int:
        """Bytes of a frame that its length field does not count."""
        counted = {
            Counts.BODY: self.header + self.tail.size,
            Counts.BODY_AND_CHECKSUM: self.header + len(self.tail.end),
            Counts.FRAME: 0,
        }
        return counted[self.counts]

    def deframer(self) -> Deframer:
        return Seeker(self)

    def judge(self, held: bytearray, at: int) -> Verdict:
        if len(held) - at < self.header:
            return None
        size = self._size(held[at : at + self.header])
        if size > self.longest:
            return Broken(Refusal.OVERSIZED, self.header)
        if size < self.header + self.tail.size:
            return Broken(Refusal.TOO_SHORT, self.header)
        if len(held) - at < size:
            return None
        frame = bytes(held[at : at + size])
        if (fault := self.tail.fault(frame)) is not None:
            return Broken(fault, size)
        return Found(size, frame[len(self.start) : self.length_at] + frame[self.header : size - self.tail.size])

    def _size(self, header: bytes | bytearray) -> int:
        """The whole frame's size, as its length field claims it."""
        return int.from_bytes(header[self.length_at : self.header], self.length_order) + self.uncounted

    def wrap(self, body: bytes) -> bytes:
        before = self.length_at - len(self.start)
        size = len(body) + len(self.start) + self.length_size + self.tail.size
        if size > self.longest or size - self.uncounted >= 1 << 8 * self.length_size or len(body) < before:
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing")
        length = (size - self.uncounted).to_bytes(self.length_size, self.length_order)
        return self.tail.closed(self.start + body[:before] + length + body[before:])

    def claims(self, octets: bytes) -> bool:
        return octets.startswith(self.start)

    def explain(self, octets: bytes) -> str:
        begin = octets.find(self.start)
        frame = octets[begin:]
        if begin < 0:
            return f"holds no start {self.start.hex()}"
        if len(frame) < self.header:
            return "ends before its length field"
        return self._wrong_size(frame, self._size(frame)) or self.tail.explain(frame[: self._size(frame)])

    def _wrong_size(self, frame: bytes, size: int) -> str:
        if size > self.longest:
            return f"claims {size} bytes, more than the {self.longest} of the longest frame"
        if size < self.header + self.tail.size:
            return f"claims {size} bytes, fewer than start, length and checksum take"
        return f"claims {size} bytes, {len(frame)} are there" if len(frame) < size else ""
