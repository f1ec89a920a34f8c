"""What the radio chip of a Sonoff RF bridge writes: AA, a command, its content, 55. There is no checksum.

55 may stand in the content, so each command's own rule says where a frame ends: most have a fixed size, some a
length byte, and raw recordings (B1) the number of their time buckets. A recording's pulses follow, two to a byte, and
it has no length: it ends at the first 55 behind the buckets. That is safe: newer firmware marks every other pulse as
high, so two equal nibbles never meet in a byte, and below six buckets a 5 names none.
Sources: github.com/Portisch/RF-Bridge-EFM8BB1, its wiki and src/uart.c; the maker's firmware has A0 to A5.
"""

from dataclasses import dataclass

from drivers.framing.contract import Deframer, Refusal
from drivers.framing.seek import FALSE_START, Broken, Found, Seeker, Verdict

BEGIN, END = 0xAA, 0x55
ACKNOWLEDGED, NOT_LEARNT, LEARNT, HEARD = 0xA0, 0xA2, 0xA3, 0xA4
HEARD_BY_PROTOCOL, NOT_LEARNT_BY_PROTOCOL, LEARNT_BY_PROTOCOL, RECORDED = 0xA6, 0xAA, 0xAB, 0xB1
SIZES = {ACKNOWLEDGED: 3, NOT_LEARNT: 3, NOT_LEARNT_BY_PROTOCOL: 3, LEARNT: 12, HEARD: 12}
MEASURED = (HEARD_BY_PROTOCOL, LEARNT_BY_PROTOCOL)
"""Commands with a length byte, which counts what follows it, without 55."""
BUCKETS_MAX = 8


@dataclass(frozen=True, slots=True)
class RfBridgeFraming:
    """The body is the command and its content. `longest` bounds the whole frame."""

    longest: int

    @property
    def starts(self) -> tuple[bytes, ...]:
        return tuple(bytes([BEGIN, command]) for command in (*SIZES, *MEASURED, RECORDED))

    def deframer(self) -> Deframer:
        return Seeker(self)

    def judge(self, held: bytearray, at: int) -> Verdict:
        command = held[at + 1]
        size = SIZES.get(command)
        if size is None:
            if len(held) - at < 3:
                return None
            counted = held[at + 2]
            if command == RECORDED:
                return self._recorded(held, at, counted)
            size = counted + 4
        if size > self.longest:
            return Broken(Refusal.OVERSIZED, 3)
        if len(held) - at < size:
            return None
        if held[at + size - 1] != END:
            return Broken(Refusal.NO_END, size)
        return Found(size, bytes(held[at + 1 : at + size - 1]))

    def _recorded(self, held: bytearray, at: int, buckets: int) -> Verdict:
        if not 0 < buckets <= BUCKETS_MAX:
            return FALSE_START
        end = held.find(END, at + 3 + 2 * buckets, at + self.longest)
        if end >= 0:
            return Found(end + 1 - at, bytes(held[at + 1 : end]))
        return None if len(held) - at < self.longest else Broken(Refusal.OVERSIZED, 3)

    def wrap(self, body: bytes) -> bytes:
        frame = bytes([BEGIN]) + body + bytes([END])
        if not self.claims(frame) or self.judge(bytearray(frame), 0) != Found(len(frame), body):
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing")
        return frame

    def claims(self, octets: bytes) -> bool:
        return octets.startswith(self.starts)

    def explain(self, octets: bytes) -> str:
        begin = min((at for start in self.starts if (at := octets.find(start)) >= 0), default=-1)
        if begin < 0:
            return "holds no AA with a command of this bridge"
        match self.judge(bytearray(octets), begin):
            case Broken(Refusal.OVERSIZED, _):
                return f"is longer than {self.longest} bytes"
            case Broken(Refusal.NO_END, _):
                return "does not end in 55 where it should"
            case Broken():
                return f"claims {octets[begin + 2]} time buckets; there are 1 to {BUCKETS_MAX}"
            case None:
                return f"ends too early: {len(octets) - begin} bytes are there"
        return ""
