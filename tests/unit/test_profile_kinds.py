"""Types of fields: how each is read from its cell, and what of it is no value."""

import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.profile.kinds import ABSENT, ABSURD, Kind, Verdict, cell_from, raw_from

CASES = [  # kind, order, bytes, what is read
    (Kind.U8, "little", "ff", 255),
    (Kind.I8, "little", "ff", -1),
    (Kind.U16, "big", "0102", 0x0102),
    (Kind.I16, "little", "feff", -2),
    (Kind.U24, "big", "010203", 0x010203),
    (Kind.I24, "little", "feffff", -2),
    (Kind.U32, "little", "01020304", 0x04030201),
    (Kind.I64, "big", "fffffffffffffffe", -2),
    (Kind.FLOAT32, "little", "66661242", 36.6),
    (Kind.FLOAT32, "little", "0000c07f", ABSENT),
    (Kind.FLOAT32, "big", "ff800000", ABSURD),
    (Kind.FLOAT64, "big", "4042 4ccccccccccd", 36.6),
    (Kind.SFLOAT, "little", "6ef1", Decimal("36.6")),
    (Kind.SFLOAT, "big", "f16e", Decimal("36.6")),
    (Kind.SFLOAT, "little", "ff07", ABSENT),
    (Kind.SFLOAT, "little", "0208", ABSURD),
    (Kind.FLOAT, "little", "6e0100ff", Decimal("36.6")),
    (Kind.BCD, "big", "1234", 1234),
    (Kind.BCD, "little", "1234", 3412),
    (Kind.BCD, "big", "1a", ABSURD),
    (Kind.BCD, "big", "99" * 10, ABSURD),
    (Kind.ADDRESS, "little", "030201000098", "980000010203"),
    (Kind.ADDRESS, "big", "980000010203", "980000010203"),
    (Kind.TEXT, "little", "2068c3a90000", "hé"),
    (Kind.TEXT, "little", "ff", "�"),
    (Kind.BYTES, "big", "00ff", "00ff"),
    (Kind.DECIMAL, "little", "2d312e35", Decimal("-1.5")),
    (Kind.DECIMAL, "little", "3130", 10),
    (Kind.DECIMAL, "little", "31302e2e", ABSURD),
    (Kind.DECIMAL, "little", "39" * 40, ABSURD),
    (Kind.HEX, "little", "30784646", 255),
    (Kind.HEX, "little", "6767", ABSURD),
]


@pytest.mark.parametrize(("kind", "order", "octets", "wanted"), CASES)
def test_a_value_is_read_as_its_type_says(kind: Kind, order: Any, octets: str, wanted: object) -> None:
    content = bytes.fromhex(octets)
    cell = cell_from(kind, kind.width or len(content), order)(content)
    assert raw_from(kind, order)(cell) == wanted


def test_a_uuid_is_counted_from_its_base() -> None:
    read = raw_from(Kind.UUID_OFFSET, "big", base=(1 << 127) - 1)
    assert [read(number.to_bytes(16, "big")) for number in ((1 << 127) + 2, 0)] == [3, 1 - (1 << 127)]


@pytest.mark.parametrize(
    ("value", "wanted"), [(True, 1), (7, 7), (1.5, 1.5), (10**18, ABSURD), (float("inf"), ABSURD), ("12", 12)]
)
def test_a_number_in_json_is_what_json_says(value: object, wanted: object) -> None:
    assert raw_from(Kind.DECIMAL, "little")(value) == wanted


@pytest.mark.parametrize(("value", "wanted"), [(True, "true"), (7, "7"), ("on", "on")])
def test_a_text_in_json_is_as_it_is_written(value: object, wanted: str) -> None:
    assert raw_from(Kind.TEXT, "little")(value) == wanted


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_float_is_read_with_the_seven_digits_that_it_has(number: float) -> None:
    read = raw_from(Kind.FLOAT32, "little")(cell_from(Kind.FLOAT32, 4, "little")(struct.pack("<f", number)))
    assert read == pytest.approx(number, rel=1e-6)


@given(st.sampled_from(Kind), st.sampled_from(["little", "big"]), st.binary(min_size=16, max_size=16))
def test_any_bytes_are_a_value_or_told_to_be_none(kind: Kind, order: Any, octets: bytes) -> None:
    size = kind.width or 16
    read = raw_from(kind, order)(cell_from(kind, size, order)(octets[:size]))
    assert isinstance(read, int | float | Decimal | str | Verdict)
