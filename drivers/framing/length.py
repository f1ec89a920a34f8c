"""Frames of start bytes, a length field, a body and a checksum."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Literal

from drivers.base import BadFrame
from drivers.checksum import Checksum
from drivers.framing.contract import KEPT, Deframer, Refusal


class Counts(StrEnum):
    """What the number in a length field counts."""

    BODY = "body"
    """The bytes between the length field and the checksum."""
    BODY_AND_CHECKSUM = "body_and_checksum"
    FRAME = "frame"
    """The whole frame, from its first start byte to the last of the checksum."""


@dataclass(frozen=True)
class LengthFraming:
    """Start bytes, a length field, a body, a checksum (or none).

    The checksum covers the bytes from `covers` up to itself. What stands between the start and the length field
    belongs to the body, in front of what follows the length field. `longest` bounds the whole frame, in bytes.
    """

    start: bytes
    length_at: int
    length_size: int
    length_order: Literal["little", "big"]
    counts: Counts
    checksum: Checksum | None
    covers: int
    checksum_order: Literal["little", "big"]
    longest: int

    @cached_property
    def header(self) -> int:
        """Bytes up to and with the length field."""
        return self.length_at + self.length_size

    @cached_property
    def tail(self) -> int:
        """Bytes of the checksum."""
        return self.checksum.size if self.checksum else 0

    @cached_property
    def uncounted(self) -> int:
        """Bytes of a frame that its length field does not count."""
        counted = {Counts.BODY: self.header + self.tail, Counts.BODY_AND_CHECKSUM: self.header, Counts.FRAME: 0}
        return counted[self.counts]

    def deframer(self) -> Deframer:
        return LengthDeframer(self)

    def size(self, header: bytes | bytearray) -> int:
        """The whole frame's size, as its length field claims it."""
        return int.from_bytes(header[self.length_at : self.header], self.length_order) + self.uncounted

    def body(self, frame: bytes) -> bytes:
        return frame[len(self.start) : self.length_at] + frame[self.header : len(frame) - self.tail]

    def sound(self, frame: bytes) -> bool:
        """Whether the checksum of a whole frame is right."""
        if self.checksum is None:
            return True
        end = len(frame) - self.checksum.size
        return self.checksum.of(frame[self.covers : end]) == int.from_bytes(frame[end:], self.checksum_order)

    def wrap(self, body: bytes) -> bytes:
        before = self.length_at - len(self.start)
        size = len(body) + len(self.start) + self.length_size + self.tail
        if size > self.longest or size - self.uncounted >= 1 << 8 * self.length_size or len(body) < before:
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing")
        length = (size - self.uncounted).to_bytes(self.length_size, self.length_order)
        frame = self.start + body[:before] + length + body[before:]
        return frame + self.checksum.packed(frame[self.covers :], self.checksum_order) if self.checksum else frame

    def claims(self, octets: bytes) -> bool:
        return octets.startswith(self.start)

    def explain(self, octets: bytes) -> str:
        begin = octets.find(self.start)
        frame = octets[begin:]
        if begin < 0:
            return f"holds no start {self.start.hex()}"
        if len(frame) < self.header:
            return "ends before its length field"
        size = self.size(frame)
        if size > self.longest:
            return f"claims {size} bytes, more than the {self.longest} of the longest frame"
        if size < self.header + self.tail:
            return f"claims {size} bytes, fewer than start, length and checksum take"
        if len(frame) < size:
            return f"claims {size} bytes, {len(frame)} are there"
        return self._wrong_checksum(frame[:size])

    def _wrong_checksum(self, frame: bytes) -> str:
        if self.checksum is None or self.sound(frame):
            return ""
        end = len(frame) - self.tail
        right = self.checksum.packed(frame[self.covers : end], self.checksum_order)
        return f"{self.checksum.name} is {frame[end:].hex()}, expected {right.hex()}"


class LengthDeframer:
    """Finds `LengthFraming` frames; the time it takes grows linearly with what it is fed, rubbish too."""

    def __init__(self, framing: LengthFraming) -> None:
        self._framing = framing
        self._held = bytearray()
        self._refused = Rubbish()

    def feed(self, chunk: bytes) -> list[bytes | BadFrame]:
        self._held += chunk
        heard: list[bytes | BadFrame] = []
        at = 0
        while (found := self._next(at, heard)) is not None:
            at = found
        del self._held[: self._refused.passed]
        self._refused.passed = 0
        return heard

    def _next(self, at: int, heard: list[bytes | BadFrame]) -> int | None:
        """Judge the frame that begins at or after `at`; where to look on, or None if more bytes are needed."""
        framing, held = self._framing, self._held
        start = held.find(framing.start, at)
        if start < 0:
            self._refused.skip(held, self._settled(at), heard)
            return None
        self._refused.skip(held, start, heard)
        if len(held) - start < framing.header:
            return None
        size = framing.size(held[start : start + framing.header])
        if (refusal := self._misfit(size)) is not None:
            self._refused.claim(refusal, start + framing.header)
            return start + 1
        if len(held) - start < size:
            return None
        frame = bytes(held[start : start + size])
        if not framing.sound(frame):
            self._refused.claim(Refusal.CHECKSUM, start + size)
            return start + 1
        self._refused.close(heard)
        heard.append(framing.body(frame))
        self._refused.passed = start + size
        return start + size

    def _misfit(self, size: int) -> Refusal | None:
        if size > self._framing.longest:
            return Refusal.OVERSIZED
        return Refusal.TOO_SHORT if size < self._framing.header + self._framing.tail else None

    def _settled(self, at: int) -> int:
        """How far the held bytes are surely rubbish: all but what may be the first bytes of a start."""
        held, start = self._held, self._framing.start
        for size in range(min(len(start) - 1, len(held) - at), 0, -1):
            if held.endswith(start[:size]):
                return len(held) - size
        return len(held)


class Rubbish:
    """The run of bytes that belongs to no frame, told when it ends.

    It ends where a good frame begins, where the broken frame that it holds would have ended, or at `KEPT` bytes:
    the cuts depend on the bytes alone, not on the portions they came in.
    """

    def __init__(self) -> None:
        self.passed = 0
        self._run = bytearray()
        self._reason = Refusal.RUBBISH
        self._claimed = 0  # bytes after `passed` that a broken frame said were its own

    def claim(self, reason: Refusal, end: int) -> None:
        """A broken frame starts at `passed` and would have ended at `end`; the first one names the run."""
        if self._reason is Refusal.RUBBISH:
            self._reason = reason
        self._claimed = max(self._claimed, end - self.passed)

    def skip(self, held: bytearray, to: int, heard: list[bytes | BadFrame]) -> None:
        """The bytes from `passed` up to `to` belong to no frame."""
        while self.passed < to:
            step = min(to - self.passed, KEPT - len(self._run), self._claimed or KEPT)
            self._run += held[self.passed : self.passed + step]
            self.passed += step
            self._claimed = max(0, self._claimed - step)
            if len(self._run) == KEPT or (self._reason is not Refusal.RUBBISH and not self._claimed):
                self.close(heard)

    def close(self, heard: list[bytes | BadFrame]) -> None:
        if self._run:
            heard.append(BadFrame(self._reason.value, bytes(self._run)))
        self._run.clear()
        self._reason, self._claimed = Refusal.RUBBISH, 0
