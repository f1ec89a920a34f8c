"""Weight Measurement (2A9D): kilograms and pounds, its optional parts, and what is no weight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame, Measurement, Metric, Said
from drivers.decoders.characteristics import weight_measurement

TIME, USER, BODY = "e7070c190e1e2d", "05", "f500d606"


def weighed(kilograms: float) -> Said:
    return Said((Measurement(Metric.BODY_WEIGHT, kilograms),))


@pytest.mark.parametrize(
    ("payload", "kilograms"),
    [
        ("00b036", 70),  # 14000 counts of 5 g
        ("00b136", 70.005),
        ("01543d", 71.214),  # 157.00 lb of 0.45359237 kg
        ("01483c", 69.998),  # 154.32 lb
        ("00c800", 1),
        ("00feff", 327.67),  # the most that can be said
    ],
)
def test_a_weight_is_told_in_kilograms(payload: str, kilograms: float) -> None:
    assert weight_measurement(bytes.fromhex(payload)) == weighed(kilograms)


@pytest.mark.parametrize(
    ("flags", "parts"), [("02", TIME), ("04", USER), ("08", BODY), ("0e", TIME + USER + BODY), ("00", "ffff")]
)
def test_other_parts_change_nothing(flags: str, parts: str) -> None:
    assert weight_measurement(bytes.fromhex(flags + "b036" + parts)) == weighed(70)


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_measurement_that_failed_is_no_weight(flags: str) -> None:
    assert weight_measurement(bytes.fromhex(flags + "ffff")) == Said(absent=("body_weight",))


@pytest.mark.parametrize("payload", ["000000", "00c700", "016400"])
def test_what_nobody_weighs_is_absurd(payload: str) -> None:
    assert weight_measurement(bytes.fromhex(payload)) == Said(absurd=("body_weight",))


@pytest.mark.parametrize("size", range(15))
def test_flags_that_promise_more_than_is_there_are_refused(size: int) -> None:
    whole = bytes.fromhex("0eb036" + TIME + USER + BODY)
    with pytest.raises(BadFrame, match="too_short"):
        weight_measurement(whole[:size])


@given(st.binary(max_size=30))
def test_any_bytes_are_a_weight_or_refused(payload: bytes) -> None:
    try:
        readings = weight_measurement(payload).readings
    except BadFrame:
        return
    assert all(isinstance(each, Measurement) and 1 <= each.value <= 400 for each in readings)
