"""SFLOAT and FLOAT: exponent and mantissa are both two's complement, and five words are no numbers.

The vectors are worked out by hand from the definition. Some libraries take the exponent for a biased one: under that
reading 62 80 is 98; it is 98 · 10⁻⁸.
"""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.decoders.ieee11073 import Special, Value, float32, sfloat

SPECIALS = {
    "ff07": Special.NAN,
    "0008": Special.NRES,
    "fe07": Special.POSITIVE_INFINITY,
    "0208": Special.NEGATIVE_INFINITY,
    "0108": Special.RESERVED,
    "ffff7f00": Special.NAN,
    "00008000": Special.NRES,
    "feff7f00": Special.POSITIVE_INFINITY,
    "02008000": Special.NEGATIVE_INFINITY,
    "01008000": Special.RESERVED,
}


def read(octets: str) -> Value:
    raw = bytes.fromhex(octets)
    return sfloat(raw) if len(raw) == 2 else float32(raw)


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        ("0000", "0"),
        ("6200", "98"),
        ("6ef1", "36.6"),
        ("14f0", "2.0"),
        ("c8e0", "2.00"),
        ("ff0f", "-1"),
        ("ffff", "-0.1"),
        ("6280", "9.8E-7"),
        ("0a70", "1.0E+8"),
        ("0180", "1E-8"),
        ("0170", "1E+7"),
        ("fd07", "2045"),
        ("0308", "-2045"),
        ("fd77", "2.045E+10"),
        ("ff17", "2.047E+4"),  # the mantissa of NaN is a number like others where the exponent is not 0
        ("0018", "-2.048E+4"),
        ("00000000", "0"),
        ("6e0100ff", "36.6"),
        ("da0300ff", "98.6"),
        ("420e00fe", "36.50"),
        ("ffffff00", "-1"),
        ("ffffffff", "-0.1"),
        ("01000080", "1E-128"),
        ("0100007f", "1E+127"),
        ("fdff7f00", "8388605"),
        ("03008000", "-8388605"),
        ("ffff7f01", "8.388607E+7"),
        ("6ef10000", "61806"),  # no SFLOAT in a FLOAT's place
    ],
)
def test_numbers_keep_the_precision_that_the_device_states(octets: str, written: str) -> None:
    assert str(read(octets)) == written


@pytest.mark.parametrize(("octets", "special"), SPECIALS.items())
def test_five_words_are_no_numbers(octets: str, special: Special) -> None:
    assert read(octets) is special


def expected(word: int, mantissa_bits: int, exponent_bits: int) -> Fraction:
    """By another way than the decoder's: the sign bit weighs minus what it would weigh."""
    mantissa = sum(1 << bit for bit in range(mantissa_bits - 1) if word >> bit & 1)
    mantissa -= (word >> mantissa_bits - 1 & 1) << mantissa_bits - 1
    high = word >> mantissa_bits
    exponent = sum(1 << bit for bit in range(exponent_bits - 1) if high >> bit & 1)
    exponent -= (high >> exponent_bits - 1 & 1) << exponent_bits - 1
    return mantissa * Fraction(10) ** exponent


def test_every_sfloat_is_the_number_of_its_definition_or_one_of_the_five() -> None:
    words = {word: sfloat(word.to_bytes(2, "little")) for word in range(1 << 16)}
    numbers = {word: value for word, value in words.items() if isinstance(value, Decimal)}
    assert words.keys() - numbers.keys() == {0x7FE, 0x7FF, 0x800, 0x801, 0x802}
    assert all(Fraction(value) == expected(word, 12, 4) for word, value in numbers.items())


@given(st.integers(0, (1 << 32) - 1))
def test_a_float_is_the_number_of_its_definition(word: int) -> None:
    value = float32(word.to_bytes(4, "little"))
    if isinstance(value, Special):
        assert 0x7FFFFE <= word <= 0x800002
    else:
        assert Fraction(value) == expected(word, 24, 8)
