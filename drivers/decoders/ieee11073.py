"""Numbers of medical devices: SFLOAT (16 bits) and FLOAT (32 bits) of ISO/IEEE 11073-20601, little-endian.

An exponent to the base 10 stands before the mantissa, both in two's complement: 4 and 12 bits, or 8 and 24.
"""

from decimal import Decimal
from enum import Enum


class Special(Enum):
    """What is no number."""

    NAN = "not a number"
    NRES = "not at this resolution"
    POSITIVE_INFINITY = "+INF"
    NEGATIVE_INFINITY = "-INF"
    RESERVED = "reserved"


Value = Decimal | Special
"""Exact, with the precision that the device states: 36.6 is 36.6, and 2.00 is not 2.0."""

_SPECIAL = (
    (-1, Special.NAN),
    (0, Special.NRES),
    (-2, Special.POSITIVE_INFINITY),
    (2, Special.NEGATIVE_INFINITY),
    (1, Special.RESERVED),
)


def sfloat(octets: bytes) -> Value:
    """The number in two bytes."""
    return _value(int.from_bytes(octets, "little"), 12, 4)


def float32(octets: bytes) -> Value:
    """The number in four bytes; it has nothing to do with IEEE 754."""
    return _value(int.from_bytes(octets, "little"), 24, 8)


def _value(word: int, mantissa_bits: int, exponent_bits: int) -> Value:
    half = 1 << mantissa_bits - 1
    for offset, special in _SPECIAL:
        if word == half + offset:
            return special
    mantissa, exponent = word & 2 * half - 1, word >> mantissa_bits
    mantissa -= 2 * half if mantissa >= half else 0
    exponent -= 1 << exponent_bits if exponent >= 1 << exponent_bits - 1 else 0
    return Decimal(mantissa).scaleb(exponent)
