"""Frames that end in a delimiter."""

from dataclasses import dataclass

from drivers.base import BadFrame
from drivers.framing.contract import KEPT, Deframer, Refusal


@dataclass(frozen=True, slots=True)
class LineFraming:
    """Lines that end in `delimiter`; empty lines are passed over. `longest` bounds a line without its end."""

    delimiter: bytes
    longest: int

    def deframer(self) -> Deframer:
        return LineDeframer(self)

    def wrap(self, body: bytes) -> bytes:
        if not 0 < len(body) <= self.longest or (body + self.delimiter).find(self.delimiter) < len(body):
            raise ValueError(f"a body of {len(body)} bytes is empty, too long or holds a line's end")
        return body + self.delimiter

    def claims(self, octets: bytes) -> bool:
        return octets.endswith(self.delimiter)

    def explain(self, octets: bytes) -> str:
        end = octets.find(self.delimiter)
        if end < 0:
            return f"holds no end {self.delimiter.hex()}"
        return f"is longer than {self.longest} bytes" if end > self.longest else ""


class LineDeframer:
    """Cuts at the delimiter. A line that is too long is told once, as `oversized`, and passed over to its end."""

    def __init__(self, framing: LineFraming) -> None:
        self._framing = framing
        self._held = bytearray()
        self._looked = 0  # bytes already searched for a delimiter
        self._passing = False

    def feed(self, chunk: bytes) -> list[bytes | BadFrame]:
        self._held += chunk
        delimiter, begin = self._framing.delimiter, 0
        heard: list[bytes | BadFrame] = []
        while (end := self._held.find(delimiter, max(begin, self._looked))) >= 0:
            self._line(bytes(self._held[begin:end]), heard)
            begin = end + len(delimiter)
        del self._held[:begin]
        self._bound(heard)
        self._looked = max(0, len(self._held) - len(delimiter) + 1)
        return heard

    def _line(self, line: bytes, heard: list[bytes | BadFrame]) -> None:
        if self._passing:
            self._passing = False
        elif len(line) > self._framing.longest:
            self._oversized(line, heard)
        elif line:
            heard.append(line)

    def _bound(self, heard: list[bytes | BadFrame]) -> None:
        """Tell and forget a line that has grown too long before its end came."""
        kept = len(self._framing.delimiter) - 1  # these may be the first bytes of its end
        if self._passing or len(self._held) - kept > self._framing.longest:
            if not self._passing:
                self._oversized(self._held, heard)
            self._passing = True
            del self._held[: max(0, len(self._held) - kept)]

    def _oversized(self, line: bytes | bytearray, heard: list[bytes | BadFrame]) -> None:
        heard.append(BadFrame(Refusal.OVERSIZED.value, bytes(line[: min(KEPT, self._framing.longest)])))
