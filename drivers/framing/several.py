"""Frames of several kinds on one line, told apart by what they begin with."""

from dataclasses import dataclass
from functools import cached_property

from drivers.framing.contract import Deframer
from drivers.framing.seek import FALSE_START, Seeker, Sought, Verdict


@dataclass(frozen=True)
class SeveralFramings:
    """Each frame is of the first of `framings` whose start it has; a body is wrapped in the first that can carry it."""

    framings: tuple[Sought, ...]

    @cached_property
    def starts(self) -> tuple[bytes, ...]:
        return tuple(start for framing in self.framings for start in framing.starts)

    def deframer(self) -> Deframer:
        return Seeker(self)

    def judge(self, held: bytearray, at: int) -> Verdict:
        for framing in self.framings:
            if held.startswith(framing.starts, at):
                return framing.judge(held, at)
        return FALSE_START

    def wrap(self, body: bytes) -> bytes:
        *others, last = self.framings
        for framing in others:
            try:
                return framing.wrap(body)
            except ValueError:
                continue
        return last.wrap(body)

    def claims(self, octets: bytes) -> bool:
        return any(framing.claims(octets) for framing in self.framings)

    def explain(self, octets: bytes) -> str:
        for framing in self.framings:
            if framing.claims(octets):
                return framing.explain(octets)
        return f"holds none of the starts {', '.join(start.hex() for start in self.starts)}"
