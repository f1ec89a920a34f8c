"""Characteristics of the Bluetooth SIG that vital signs come in: bytes to readings, pure.

Layouts: the services' specifications and the GATT Specification Supplement (bluetooth.com/specifications). Which
fields are there is said by flags at the beginning. Bytes that a later version appends are passed over; fewer than
the flags promise are refused as `too_short`. What the device calls no number is absent; infinities and values that
no living body has are absurd.
"""

from collections.abc import Callable
from decimal import Decimal

from drivers.base import BASE_UUID, BadFrame, Metric, Said
from drivers.decoders.findings import Findings
from drivers.decoders.ieee11073 import float32, sfloat

TIMESTAMP = 7
MMHG_PER_KPA = Decimal("7.50061683")
KG_PER_LB = Decimal("0.45359237")


class _Reader:
    """The bytes one after the other."""

    def __init__(self, payload: bytes) -> None:
        self._payload, self._at = payload, 0

    def take(self, size: int) -> bytes:
        taken = self._payload[self._at : self._at + size]
        if len(taken) < size:
            raise BadFrame("too_short", self._payload)
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def skip(self, flags: int, *parts: tuple[int, int]) -> None:
        """Pass over those parts (flag, size) whose flag is set, in their order."""
        for flag, size in parts:
            if flags & flag:
                self.take(size)


def heart_rate_measurement(payload: bytes) -> Said:
    """2A37. The contact bits are `worn`, where the sensor supports them; 0 /min is a sensor that finds no pulse."""
    reader, found = _Reader(payload), Findings()
    flags = reader.number(1)
    found.add(Metric.HEART_RATE, reader.number(2 if flags & 0x01 else 1) or None)
    if flags & 0x04:
        found.add(Metric.WORN, bool(flags & 0x02))
    reader.skip(flags, (0x08, 2))  # energy expended; the RR intervals behind it are no metric of ours
    return found.said()


def battery_level(payload: bytes) -> Said:
    """2A19."""
    found = Findings()
    found.add(Metric.BATTERY_LEVEL, _Reader(payload).number(1))
    return found.said()


def plx_spot_check(payload: bytes) -> Said:
    """2A5E."""
    return _plx(payload, (0x01, TIMESTAMP), (0x02, 2), (0x04, 3), (0x08, 2))


def plx_continuous(payload: bytes) -> Said:
    """2A5F. The normal pair counts; the fast and the slow one say the same in another time."""
    return _plx(payload, (0x01, 4), (0x02, 4), (0x04, 2), (0x08, 3), (0x10, 2))


def _plx(payload: bytes, *parts: tuple[int, int]) -> Said:
    reader, found = _Reader(payload), Findings()
    flags = reader.number(1)
    found.add(Metric.SPO2, sfloat(reader.take(2)))
    found.add(Metric.HEART_RATE, sfloat(reader.take(2)))
    reader.skip(flags, *parts)
    return found.said()


def temperature_measurement(payload: bytes) -> Said:
    """2A1C, and 2A1E that is sent while measuring. Fahrenheit is converted."""
    reader, found = _Reader(payload), Findings()
    flags = reader.number(1)
    value = float32(reader.take(4))
    if flags & 0x01 and isinstance(value, Decimal):
        found.add(Metric.BODY_TEMPERATURE, (value - 32) * 5 / 9, 2)
    else:
        found.add(Metric.BODY_TEMPERATURE, value)
    reader.skip(flags, (0x02, TIMESTAMP), (0x04, 1))
    return found.said()


def blood_pressure_measurement(payload: bytes) -> Said:
    """2A35. Kilopascals are converted; the mean pressure is no metric of ours."""
    reader, found = _Reader(payload), Findings()
    flags = reader.number(1)
    for metric in (Metric.BLOOD_PRESSURE_SYSTOLIC, Metric.BLOOD_PRESSURE_DIASTOLIC):
        value = sfloat(reader.take(2))
        if flags & 0x01 and isinstance(value, Decimal):
            found.add(metric, value * MMHG_PER_KPA, 1)
        else:
            found.add(metric, value)
    reader.take(2)  # the mean pressure
    reader.skip(flags, (0x02, TIMESTAMP))
    if flags & 0x04:
        found.add(Metric.HEART_RATE, sfloat(reader.take(2)))
    reader.skip(flags, (0x08, 1), (0x10, 2))
    return found.said()


def weight_measurement(payload: bytes) -> Said:
    """2A9D. Counts of 5 g or of 0.01 lb, which are converted; all bits set is a measurement that failed."""
    reader, found = _Reader(payload), Findings()
    flags, count = reader.number(1), reader.number(2)
    kilograms = round(count * KG_PER_LB / 100, 3) if flags & 0x01 else count * Decimal("0.005")
    found.add(Metric.BODY_WEIGHT, None if count == 0xFFFF else kilograms)
    reader.skip(flags, (0x02, TIMESTAMP), (0x04, 1), (0x08, 4))  # user; body mass index and height
    return found.said()


DECODERS: dict[str, Callable[[bytes], Said]] = {
    "0000" + short + BASE_UUID: decoder
    for short, decoder in {
        "2a19": battery_level,
        "2a1c": temperature_measurement,
        "2a1e": temperature_measurement,
        "2a35": blood_pressure_measurement,
        "2a37": heart_rate_measurement,
        "2a5e": plx_spot_check,
        "2a5f": plx_continuous,
        "2a9d": weight_measurement,
    }.items()
}
"""By the characteristic's UUID, 128 bits, lower case."""
