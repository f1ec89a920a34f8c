"""Characteristics of the Bluetooth SIG: every combination of flags, cut at every length, and rubbish.

What a payload means is put together here from the specifications' tables, part by part, and not from the decoder.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import BadFrame, Metric
from drivers.decoders.characteristics import DECODERS
from drivers.decoders.findings import BOUNDS

HEART_RATE, BATTERY, TEMPERATURE, INTERMEDIATE = "2a37", "2a19", "2a1c", "2a1e"
PRESSURE, SPOT, CONTINUOUS = "2a35", "2a5e", "2a5f"
WHEN = bytes.fromhex("ea070b18080000")
Values = dict[str, float | bool]


def said(short: str, payload: bytes) -> tuple[Values, tuple[str, ...]]:
    found = DECODERS[f"0000{short}-0000-1000-8000-00805f9b34fb"](payload)
    assert len({reading.metric for reading in found.readings}) == len(found.readings)
    return {reading.metric.value: reading.value for reading in found.readings}, found.absurd


def chosen(*parts: bytes) -> Iterator[tuple[int, bytes]]:
    """Every choice of these optional parts: which of them are there, as bits from 0 on, and their bytes."""
    for there in product((False, True), repeat=len(parts)):
        bits = sum(1 << place for place, each in enumerate(there) if each)
        yield bits, b"".join(part for part, each in zip(parts, there, strict=True) if each)


def heart_rates() -> Iterator[tuple[str, bytes, Values]]:
    """RR intervals (bit 4) are whatever is left, and passed over: no part that can be cut short."""
    for wide, contact, (energy, part), intervals in product((0, 1), range(4), chosen(b"\x0a\x00"), (0, 1)):
        flags = wide | contact << 1 | energy << 3 | intervals << 4
        worn: Values = {"worn": bool(contact & 1)} if contact & 2 else {}
        yield HEART_RATE, bytes([flags]) + (b"\x48\x00" if wide else b"\x48") + part, {"heart_rate": 72} | worn


def temperatures() -> Iterator[tuple[str, bytes, Values]]:
    for short, fahrenheit, (there, parts) in product((TEMPERATURE, INTERMEDIATE), (0, 1), chosen(WHEN, b"\x02")):
        value = bytes.fromhex("da0300ff" if fahrenheit else "6e0100ff")
        flags = fahrenheit | there << 1
        yield short, bytes([flags]) + value + parts, {"body_temperature": 37 if fahrenheit else 36.6}


def pressures() -> Iterator[tuple[str, bytes, Values]]:
    for kilopascal, (there, parts) in product((0, 1), chosen(WHEN, b"\x47\x00", b"\x01", b"\x00\x00")):
        value = bytes.fromhex("b0f070f085f0" if kilopascal else "840054006400")
        pulse: Values = {"heart_rate": 71} if there & 2 else {}
        read: Values = {"blood_pressure_systolic": 132, "blood_pressure_diastolic": 84}
        yield PRESSURE, bytes([kilopascal | there << 1]) + value + parts, read | pulse


def oxygens() -> Iterator[tuple[str, bytes, Values]]:
    pair = bytes.fromhex("cff34800")
    for there, parts in chosen(WHEN, b"\x20\x00", b"\x00\x00\x00", b"\x0a\xf0"):
        for clock_not_set in (0, 0x10):
            yield SPOT, bytes([there | clock_not_set]) + pair + parts, {"spo2": 97.5, "heart_rate": 72}
    for there, parts in chosen(b"\x01\x00\x02\x00", b"\x03\x00\x04\x00", b"\x20\x00", b"\x00\x00\x00", b"\x0a\xf0"):
        yield CONTINUOUS, bytes([there]) + pair + parts, {"spo2": 97.5, "heart_rate": 72}


WHOLE = [*heart_rates(), *temperatures(), *pressures(), *oxygens(), (BATTERY, b"\x58", {"battery_level": 88})]


def test_every_combination_of_flags_is_among_the_cases() -> None:
    flags = {short: {payload[0] for other, payload, _ in WHOLE if other == short} for short, _, _ in WHOLE}
    counted = {short: len(found) for short, found in flags.items()}
    eight = {TEMPERATURE: 8, INTERMEDIATE: 8}
    assert counted == eight | {HEART_RATE: 32, PRESSURE: 32, SPOT: 32, CONTINUOUS: 32, BATTERY: 1}


@pytest.mark.parametrize(("short", "payload", "values"), WHOLE, ids=[f"{short} {raw.hex()}" for short, raw, _ in WHOLE])
def test_every_combination_of_flags_is_read_cut_short_it_is_refused_and_more_is_passed_over(
    short: str, payload: bytes, values: Values
) -> None:
    assert said(short, payload) == (values, ())
    assert said(short, payload + b"\xff\xee") == (values, ())
    for length in range(len(payload)):
        with pytest.raises(BadFrame) as refused:
            said(short, payload[:length])
        assert (refused.value.reason, refused.value.payload) == ("too_short", payload[:length])


@pytest.mark.parametrize(
    ("short", "payload", "values", "absurd"),
    [
        (HEART_RATE, "0000", {}, ()),  # no pulse is found
        (HEART_RATE, "010000", {}, ()),
        (HEART_RATE, "0013", {}, ("heart_rate",)),
        (HEART_RATE, "0014", {"heart_rate": 20}, ()),
        (HEART_RATE, "012c01", {"heart_rate": 300}, ()),
        (HEART_RATE, "012d01", {}, ("heart_rate",)),
        (BATTERY, "64", {"battery_level": 100}, ()),
        (BATTERY, "65", {}, ("battery_level",)),
        (BATTERY, "ff", {}, ("battery_level",)),
        (CONTINUOUS, "00ff07ff07", {}, ()),
        (CONTINUOUS, "0000080108", {}, ()),
        (CONTINUOUS, "00fe070208", {}, ("spo2", "heart_rate")),
        (CONTINUOUS, "0061004800", {"spo2": 97, "heart_rate": 72}, ()),
        (CONTINUOUS, "0065004800", {"heart_rate": 72}, ("spo2",)),
        (CONTINUOUS, "00628048f0", {"spo2": 9.8e-7}, ("heart_rate",)),  # 98 under a biased exponent: it is none
        (TEMPERATURE, "00ffff7f00", {}, ()),
        (TEMPERATURE, "00feff7f00", {}, ("body_temperature",)),
        (TEMPERATURE, "004c1d00fe", {}, ("body_temperature",)),  # 75 Cel
        (TEMPERATURE, "0184030000", {}, ("body_temperature",)),  # 900 degrees Fahrenheit
        (TEMPERATURE, "01ffff7f7f", {}, ("body_temperature",)),  # beyond what could be converted to the hundredth
        (TEMPERATURE, "01010000ff", {}, ("body_temperature",)),
        (TEMPERATURE, "01e70300ff", {"body_temperature": 37.72}, ()),
        (PRESSURE, "00ff07ff07ff07", {}, ()),
        (PRESSURE, "00840000080000", {"blood_pressure_systolic": 132}, ()),
        (PRESSURE, "018400540064 00", {}, ("blood_pressure_systolic", "blood_pressure_diastolic")),
        (PRESSURE, "01ff77ff77ff77", {}, ("blood_pressure_systolic", "blood_pressure_diastolic")),
    ],
)
def test_what_is_no_number_is_absent_and_what_cannot_be_is_absurd(
    short: str, payload: str, values: Values, absurd: tuple[str, ...]
) -> None:
    assert said(short, bytes.fromhex(payload)) == (values, absurd)


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=24))
def test_rubbish_is_refused_or_read_within_bounds_and_nothing_else_happens(uuid: str, payload: bytes) -> None:
    try:
        values, absurd = said(uuid[4:8], payload)
    except BadFrame as bad:
        values, absurd = {}, (bad.reason,)
    assert absurd == ("too_short",) or {*absurd} <= {metric.value for metric in BOUNDS}
    assert not values.keys() & set(absurd)
    for metric in values.keys() - {"worn"}:
        low, high = BOUNDS[Metric(metric)]
        assert low <= values[metric] <= high
