"""Frames that are all of one size."""

from dataclasses import dataclass
from functools import cached_property

from drivers.framing.check import Tail
from drivers.framing.contract import Deframer
from drivers.framing.seek import Broken, Found, Seeker, Verdict


@dataclass(frozen=True)
class FixedFraming:
    """`size` bytes: start bytes, a body, a tail. The start or the tail may be empty, not both.

    Without start bytes a frame may begin at any byte, and its tail alone tells one from rubbish.
    """

    start: bytes
    size: int
    tail: Tail

    @cached_property
    def starts(self) -> tuple[bytes, ...]:
        return (self.start,)

    def deframer(self) -> Deframer:
        return Seeker(self)

    def judge(self, held: bytearray, at: int) -> Verdict:
        if len(held) - at < self.size:
            return None
        frame = bytes(held[at : at + self.size])
        if (fault := self.tail.fault(frame)) is not None:
            return Broken(fault, self.size)
        return Found(self.size, frame[len(self.start) : self.size - self.tail.size])

    def wrap(self, body: bytes) -> bytes:
        right = self.size - len(self.start) - self.tail.size
        if len(body) != right:
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing: it takes {right}")
        return self.tail.closed(self.start + body)

    def claims(self, octets: bytes) -> bool:
        return octets.startswith(self.start) and len(octets) == self.size

    def explain(self, octets: bytes) -> str:
        begin = octets.find(self.start)
        frame = octets[begin : begin + self.size]
        if begin < 0:
            return f"holds no start {self.start.hex()}"
        if len(frame) < self.size:
            return f"takes {self.size} bytes, {len(frame)} are there"
        return self.tail.explain(frame)
