"""What a decoder promises: a format that needs code, read by a profile that names it."""

from collections.abc import Callable
from typing import NamedTuple

from drivers.base import Address, Said

Decode = Callable[[bytes, Address | None, bytes | None], Said]
"""From a payload, its sender's address and the key known for that device to what it says; pure.

Raises BadFrame and nothing else. `checksum` and `decryption` mean that nothing of the frame can be believed,
`no_key` that it is encrypted and no key is known; others name what the frame is instead of one that can be read.
"""


class Part(NamedTuple):
    """One field of a payload, for the bench. `place` counts bytes from 0, as `3` or `3-4` or `3 bit 0`."""

    place: str
    octets: str
    name: str
    raw: str
    value: str


def part(begin: int, octets: bytes, name: str, raw: object = None, value: str = "") -> Part:
    """The field that begins at byte `begin`; where it is no number, its bytes are what is raw of it."""
    place = str(begin) if len(octets) == 1 else f"{begin}-{begin + len(octets) - 1}"
    return Part(place, octets.hex(), name, octets.hex() if raw is None else str(raw), value)


Parts = Callable[[bytes, Address | None, bytes | None], list[Part]]
"""The same payload field by field, as far as it can be read; raises what `Decode` raises."""


class Decoder(NamedTuple):
    decode: Decode
    parts: Parts
