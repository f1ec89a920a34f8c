"""Lines of text."""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.framing.contract import Deframer, Framing
from drivers.framing.cut import Cutter, first_piece


@dataclass(frozen=True, slots=True)
class LineFraming:
    """Lines that end in `delimiter`; empty lines are passed over. `longest` bounds a line without its end."""

    delimiter: bytes
    longest: int

    def deframer(self) -> Deframer:
        return Cutter(self.delimiter, self.longest, lambda line: line)

    def wrap(self, body: bytes) -> bytes:
        if not 0 < len(body) <= self.longest or (body + self.delimiter).find(self.delimiter) < len(body):
            raise ValueError(f"a body of {len(body)} bytes is empty, too long or holds a line's end")
        return body + self.delimiter

    def claims(self, octets: bytes) -> bool:
        return octets.endswith(self.delimiter)

    def explain(self, octets: bytes) -> str:
        _, wrong = first_piece(octets, self.delimiter, self.longest)
        return wrong


def joined(framings: Sequence[Framing]) -> Framing | None:
    """One framing for the frames of all of these; None where they cut a line in different ways.

    Text receivers of one kind differ in nothing but how long a line may be: the longest serves all.
    """
    lines = [each for each in framings if isinstance(each, LineFraming)]
    if len(lines) == len(framings) and len({each.delimiter for each in lines}) == 1:
        return max(lines, key=lambda line: line.longest)
    return framings[0] if all(each == framings[0] for each in framings) else None
