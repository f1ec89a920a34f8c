"""A payload read from front to back. What was passed is what the bench shows, so that both are one reading."""

import re
from collections.abc import Callable

from drivers.base import Address, BadFrame, Said
from drivers.decoders.contract import Decoder, Part, part


class Walk:
    """Where in the payload one stands. BadFrame `too_short` where it ends too early; numbers are big-endian."""

    def __init__(self, payload: bytes) -> None:
        self._payload, self._at = payload, 0
        self.parts: list[Part] = []

    @property
    def left(self) -> int:
        return len(self._payload) - self._at

    def bad(self, reason: str) -> BadFrame:
        """The refusal of the whole payload."""
        return BadFrame(reason, self._payload)

    def follows(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether what comes next begins so."""
        return pattern.match(self._payload, self._at) is not None

    def count(self, end: bytes) -> int:
        """How many texts are left, each but the last with `end` behind it."""
        return self._payload.count(end, self._at) + 1 if self.left else 0

    def take(self, name: str, size: int) -> bytes:
        octets = self._payload[self._at : self._at + size]
        if len(octets) < size:
            raise self.bad("too_short")
        self._pass(octets, name)
        return octets

    def number(self, name: str, size: int) -> int:
        octets = self._payload[self._at : self._at + size]
        number = int.from_bytes(octets, "big")
        if len(octets) < size:
            raise self.bad("too_short")
        self._pass(octets, name, number)
        return number

    def text(self, name: str, end: bytes) -> str:
        """What stands before `end`, or up to the payload's end; goes on behind `end`."""
        stop = self._payload.find(end, self._at)
        stop = stop + len(end) if stop >= 0 else len(self._payload)
        octets = self._payload[self._at : stop]
        text = octets.removesuffix(end).decode("latin-1")
        self._pass(octets, name, text)
        return text

    def rest(self, name: str) -> bytes:
        return self.take(name, self.left) if self.left else b""

    def means(self, value: object) -> None:
        """What the field that was read last says, for the bench."""
        self.parts[-1] = self.parts[-1]._replace(value=str(value))

    def _pass(self, octets: bytes, name: str, raw: object = None) -> None:
        self.parts.append(part(self._at, octets, name, raw))
        self._at += len(octets)


def walked(read: Callable[[Walk], Said]) -> Decoder:
    """The decoder of a format that needs neither its sender nor a key."""

    def decode(payload: bytes, _sender: Address | None, _key: bytes | None) -> Said:
        return read(Walk(payload))

    def parts(payload: bytes, _sender: Address | None, _key: bytes | None) -> list[Part]:
        walk = Walk(payload)
        read(walk)
        return walk.parts

    return Decoder(decode, parts)
