"""How numbers stand in the objects of BTHome and MiBeacon: little-endian, one meaning to each."""

import struct
from decimal import Decimal
from typing import NamedTuple

from drivers.base import Metric

ONE = Decimal(1)


class Number(NamedTuple):
    """One number: its value is `scale` times what stands there, in `unit`.

    `true` makes it a boolean, and is the number that means true; `absent` means that the device has no value;
    `real` is a number of IEEE 754.
    """

    name: str
    size: int
    signed: bool = False
    scale: Decimal = ONE
    unit: str = ""
    metric: Metric | None = None
    true: int | None = None
    absent: int | None = None
    real: bool = False

    def raw(self, octets: bytes) -> float:
        if self.real:
            # the digits that four bytes hold, and none of the noise behind them
            return float(f"{struct.unpack('<f', octets)[0]:.7g}")
        return int.from_bytes(octets, "little", signed=self.signed)

    def value(self, octets: bytes) -> float | bool | None:
        raw = self.raw(octets)
        if raw == self.absent:
            return None
        if self.true is not None:
            return raw == self.true
        return raw if self.scale == ONE else float(Decimal(raw) * self.scale)

    def words(self, octets: bytes) -> str:
        """The value and its unit."""
        value = self.value(octets)
        return "absent" if value is None else f"{str(value).lower()} {self.unit}".strip()


def unsigned(
    name: str, size: int, scale: str = "1", unit: str = "", metric: Metric | None = None, absent: int | None = None
) -> Number:
    return Number(name, size, scale=Decimal(scale), unit=unit, metric=metric, absent=absent)


def signed(name: str, size: int, scale: str = "1", unit: str = "", metric: Metric | None = None) -> Number:
    return Number(name, size, signed=True, scale=Decimal(scale), unit=unit, metric=metric)


def real(name: str, unit: str, metric: Metric) -> Number:
    return Number(name, 4, unit=unit, metric=metric, real=True)


def flag(name: str, metric: Metric | None = None, true: int = 1) -> Number:
    return Number(name, 1, metric=metric, true=true)
