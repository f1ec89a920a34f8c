"""Frames that end in a delimiter which cannot stand inside them."""

from collections.abc import Callable

from drivers.base import BadFrame
from drivers.framing.contract import KEPT, Refusal

Opened = Callable[[bytes], bytes | Refusal]
"""From what stands between two delimiters to the body, or to why there is none."""


class Cutter:
    """Cuts at the delimiter; passes over what is empty. What is longer than `longest` is told once, as `oversized`."""

    def __init__(self, delimiter: bytes, longest: int, opened: Opened) -> None:
        self._delimiter, self._longest, self._opened = delimiter, longest, opened
        self._held = bytearray()
        self._looked = 0  # bytes already searched for a delimiter
        self._passing = False

    def feed(self, chunk: bytes) -> list[bytes | BadFrame]:
        self._held += chunk
        delimiter, begin = self._delimiter, 0
        heard: list[bytes | BadFrame] = []
        while (end := self._held.find(delimiter, max(begin, self._looked))) >= 0:
            self._piece(bytes(self._held[begin:end]), heard)
            begin = end + len(delimiter)
        del self._held[:begin]
        self._bound(heard)
        self._looked = max(0, len(self._held) - len(delimiter) + 1)
        return heard

    def _piece(self, piece: bytes, heard: list[bytes | BadFrame]) -> None:
        if self._passing:
            self._passing = False
        elif len(piece) > self._longest:
            self._oversized(piece, heard)
        elif piece:
            body = self._opened(piece)
            heard.append(BadFrame(body.value, piece[:KEPT]) if isinstance(body, Refusal) else body)

    def _bound(self, heard: list[bytes | BadFrame]) -> None:
        """Tell and forget a piece that has grown too long before its end came."""
        kept = len(self._delimiter) - 1  # these may be the first bytes of its end
        if self._passing or len(self._held) - kept > self._longest:
            if not self._passing:
                self._oversized(self._held, heard)
            self._passing = True
            del self._held[: max(0, len(self._held) - kept)]

    def _oversized(self, piece: bytes | bytearray, heard: list[bytes | BadFrame]) -> None:
        heard.append(BadFrame(Refusal.OVERSIZED.value, bytes(piece[: min(KEPT, self._longest)])))


def first_piece(octets: bytes, delimiter: bytes, longest: int) -> tuple[bytes, str]:
    """The first piece in `octets` that is not empty, and what is wrong with its ends; for the bench."""
    begin = 0
    while octets.startswith(delimiter, begin):
        begin += len(delimiter)
    end = octets.find(delimiter, begin)
    if end < 0:
        return b"", f"holds no end {delimiter.hex()}"
    piece = octets[begin:end]
    return piece, f"is longer than {longest} bytes" if len(piece) > longest else ""
