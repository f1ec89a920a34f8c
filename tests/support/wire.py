"""Formats that come over a serial line: what a stream says under a shipped profile."""

from functools import cache

from drivers.base import BadFrame, Decoded, Occurrence, Said
from drivers.profile.golden import told, wording
from tests.support.formats import body, decoded, shipped
from tests.support.vectors import Vector, load


@cache
def sound(name: str) -> list[Vector]:
    vectors, _ = load(name)
    return vectors


def octets(vector: Vector) -> bytes:
    return bytes.fromhex(vector["serial"])


def bodies(name: str, stream: bytes) -> list[bytes | BadFrame]:
    return shipped().framing(name).deframer().feed(stream)


def heard(name: str, stream: bytes) -> list[Decoded | str | None]:
    """What each frame says, or the reason for which it, or what is no frame, is refused."""
    return [each.reason if isinstance(each, BadFrame) else read(name, each) for each in bodies(name, stream)]


def read(name: str, octets: bytes) -> Decoded | str | None:
    return decoded(shipped(), body(shipped()[name], octets))


def happened(said: Said) -> list[str]:
    return [wording(told(each)) for each in said.readings if isinstance(each, Occurrence)]
