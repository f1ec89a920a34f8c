"""Frames between flags: where a flag would stand inside, an escape and a code stand for it (HDLC, SLIP, JT/T 808)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from drivers.framing.check import Check, closed, explained, opened
from drivers.framing.contract import Deframer, Refusal
from drivers.framing.cut import Cutter, first_piece

SLIP_CODES = {0xDC: 0xC0, 0xDD: 0xDB}
"""RFC 1055."""


def complemented(by: int) -> dict[int, int]:
    """The codes of a framing that escapes a byte as itself xor `by`, as HDLC does (RFC 1662)."""
    return {byte ^ by: byte for byte in range(256)}


@dataclass(frozen=True)
class EscapedFraming:
    """A body and its checksum (or none) between flags. `codes` says which byte each code behind an escape stands for.

    Whatever has a code is read; only the flag and the escape itself are written with one. `longest` bounds what
    stands between two flags, escapes counted.
    """

    flag: int
    escape: int
    codes: Mapping[int, int]
    check: Check | None
    longest: int

    def deframer(self) -> Deframer:
        return Cutter(bytes([self.flag]), self.longest, self._opened)

    def wrap(self, body: bytes) -> bytes:
        content = closed(self.check, body)
        escaped = self._special.sub(lambda special: self._written[special[0]], content)
        if not 0 < len(escaped) <= self.longest:
            raise ValueError(f"a body of {len(body)} bytes does not fit this framing")
        flag = bytes([self.flag])
        return flag + escaped + flag

    def claims(self, octets: bytes) -> bool:
        return octets.endswith(bytes([self.flag]))

    def explain(self, octets: bytes) -> str:
        piece, wrong = first_piece(octets, bytes([self.flag]), self.longest)
        if wrong:
            return wrong
        content = self._plain(piece)
        if content is None:
            return f"holds an escape {self.escape:02x} with no code of this framing behind it"
        return explained(self.check, content)

    def _opened(self, piece: bytes) -> bytes | Refusal:
        content = self._plain(piece)
        return Refusal.CODING if content is None else opened(self.check, content)

    def _plain(self, piece: bytes) -> bytes | None:
        """What stands between two flags without its escapes; None where a code is none."""
        codes = self._meant
        try:
            return self._coded.sub(lambda coded: codes[coded[1]], piece)
        except KeyError:
            return None

    @cached_property
    def _coded(self) -> re.Pattern[bytes]:
        return re.compile(re.escape(bytes([self.escape])) + b"(.?)", re.DOTALL)

    @cached_property
    def _meant(self) -> dict[bytes, bytes]:
        return {bytes([code]): bytes([byte]) for code, byte in self.codes.items()}

    @cached_property
    def _written(self) -> dict[bytes, bytes]:
        code_of = {byte: code for code, byte in self.codes.items()}
        return {bytes([byte]): bytes([self.escape, code_of[byte]]) for byte in (self.flag, self.escape)}

    @cached_property
    def _special(self) -> re.Pattern[bytes]:
        return re.compile(b"[" + b"".join(map(re.escape, self._written)) + b"]")
