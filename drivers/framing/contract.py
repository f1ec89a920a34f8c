"""What every framing promises, and the words it refuses with."""

from enum import StrEnum
from typing import Protocol

from drivers.base import BadFrame

KEPT = 512
"""So many bytes of what was refused are kept; a longer run of rubbish is told in pieces of this size."""


class Refusal(StrEnum):
    """Why bytes were refused; the value is the counter's name."""

    RUBBISH = "rubbish"
    CHECKSUM = "checksum"
    OVERSIZED = "oversized"
    TOO_SHORT = "too_short"
    NO_END = "no_end"
    """What closes a frame does not stand where its length says."""
    CODING = "coding"
    """Escapes or codes that no sender of this framing writes."""


class Deframer(Protocol):
    """Cuts one stream. Not to be shared between lines."""

    def feed(self, chunk: bytes) -> list[bytes | BadFrame]:
        """The bodies that `chunk` completes and what it shows to be broken, in the order heard; raises nothing."""


class Framing(Protocol):
    """One way to put bodies on a line."""

    def deframer(self) -> Deframer:
        """A deframer for a line just opened."""

    def wrap(self, body: bytes) -> bytes:
        """The bytes to write for `body`; ValueError where this framing cannot carry it."""

    def claims(self, octets: bytes) -> bool:
        """Whether `octets` look like a frame of this kind, sound or not."""

    def explain(self, octets: bytes) -> str:
        """What is wrong with the first frame in `octets`, in a sentence for the bench; empty if nothing is."""
