"""The objects of MiBeacon that hold something of ours: numbers with a metric, levels, and keys.

Those up to 0x2003 are Xiaomi's own definition of objects, whose English text stands beside pvvx/ATC_MiThermometer
(InfoMijiaBLE, "Mijia BLE Object Definition"). Those from 0x4800 on are numbered by product; here are the ones whose
meaning is shown by captured frames (Bluetooth-Devices/xiaomi-ble, tests). All others are passed over.
"""

from typing import NamedTuple

from drivers.base import KeyPress, Metric, OccurrenceKind
from drivers.decoders.numbers import Number, flag, real, signed, unsigned

NUMBERS: dict[int, tuple[Number, ...]] = {
    0x000A: (signed("body temperature", 2, "0.01", "Cel", Metric.BODY_TEMPERATURE),),
    0x1004: (signed("temperature", 2, "0.1", "Cel", Metric.AMBIENT_TEMPERATURE),),
    0x1006: (unsigned("humidity", 2, "0.1", "%", Metric.AMBIENT_HUMIDITY),),
    0x1007: (unsigned("illuminance", 3, unit="lx", metric=Metric.ILLUMINANCE),),
    0x100A: (unsigned("battery", 1, unit="%", metric=Metric.BATTERY_LEVEL),),
    0x100D: (
        signed("temperature", 2, "0.1", "Cel", Metric.AMBIENT_TEMPERATURE),
        unsigned("humidity", 2, "0.1", "%", Metric.AMBIENT_HUMIDITY),
    ),
    0x2000: (
        signed("skin temperature", 2, "0.01", "Cel", Metric.SKIN_TEMPERATURE),
        signed("board temperature", 2, "0.01", "Cel"),
        unsigned("battery", 1, unit="%", metric=Metric.BATTERY_LEVEL),
    ),
    0x2001: (unsigned("steps", 2, metric=Metric.STEPS), unsigned("sleep", 1), unsigned("signal", 1)),
    0x2003: (
        unsigned("steps", 2, metric=Metric.STEPS),
        unsigned("heart rate", 1, unit="/min", metric=Metric.HEART_RATE, absent=0),
        unsigned("activity", 1),
    ),
    0x4801: (real("temperature", "Cel", Metric.AMBIENT_TEMPERATURE),),
    0x4802: (unsigned("humidity", 1, unit="%", metric=Metric.AMBIENT_HUMIDITY),),
    0x4803: (unsigned("battery", 1, unit="%", metric=Metric.BATTERY_LEVEL),),
    0x4805: (real("illuminance", "lx", Metric.ILLUMINANCE),),
    0x4808: (real("humidity", "%", Metric.AMBIENT_HUMIDITY),),
    0x4A08: (real("illuminance", "lx", Metric.ILLUMINANCE),),
    0x4C01: (real("temperature", "Cel", Metric.AMBIENT_TEMPERATURE),),
    0x4C02: (unsigned("humidity", 1, unit="%", metric=Metric.AMBIENT_HUMIDITY),),
    0x4C03: (unsigned("battery", 1, unit="%", metric=Metric.BATTERY_LEVEL),),
    0x4C08: (real("humidity", "%", Metric.AMBIENT_HUMIDITY),),
    0x4E16: (
        unsigned("person", 1),
        unsigned("weight", 4, "0.01", "kg", Metric.BODY_WEIGHT, absent=0),
        unsigned("timestamp", 4, unit="s since 1970"),
    ),
    0x5422: (flag("charging", Metric.CHARGING, true=0),),
    0x6461: (flag("worn", Metric.WORN, true=0),),
}

LEVELS = {0x4A01: OccurrenceKind.LOW_BATTERY, 0x4E01: OccurrenceKind.LOW_BATTERY}

KEY = 0x1001
"""A key's index in two bytes, from 0, then how it was pressed."""
PRESSES = {0: KeyPress.SINGLE, 1: KeyPress.DOUBLE, 2: KeyPress.LONG, 3: KeyPress.TRIPLE}
RELEASED = b"\x04"
"""A remote control's key let go again: no press of its own."""


class Pressed(NamedTuple):
    """An object that is a press by itself. Its byte, where there is one, says of which key; `first` is the first's."""

    press: KeyPress
    first: int | None = None


PRESSED = {
    0x4A0C: Pressed(KeyPress.SINGLE, 0),
    0x4A0D: Pressed(KeyPress.DOUBLE, 0),
    0x4A0E: Pressed(KeyPress.LONG, 0),
    0x4A13: Pressed(KeyPress.SINGLE),
    0x4E0C: Pressed(KeyPress.SINGLE, 1),
    0x4E0D: Pressed(KeyPress.DOUBLE, 1),
    0x4E0E: Pressed(KeyPress.LONG, 1),
    0x560C: Pressed(KeyPress.SINGLE, 1),
    0x560D: Pressed(KeyPress.DOUBLE, 1),
    0x560E: Pressed(KeyPress.LONG, 1),
}

OWN_WAY = frozenset({0x0DFD, 0x1568, 0x1569, 0x1C10})
"""Wall switches that number keys and presses in a way of their own: a press is told, not which and how."""

_SWITCHES = frozenset({0x3A61, 0x3E17, 0x520B})
_BANDS = frozenset({0x59FA, 0x59FB, 0x59FC, 0x6188})
ONLY_OF = {
    0x5422: _BANDS,
    0x560C: _SWITCHES,
    0x560D: _SWITCHES,
    0x560E: _SWITCHES,
    0x6461: _BANDS,
}
"""Objects that have this meaning for these products only."""
