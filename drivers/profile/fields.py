"""Fields compiled: all numbers of a payload in one struct read, then one step per field from number to meaning."""

import struct
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeVar

from drivers.base import UNITS, Measurement, Metric
from drivers.profile.model import FieldShape, NumberType
from drivers.profile.written import Order

FORMATS = {
    NumberType.U8: "B",
    NumberType.I8: "b",
    NumberType.U16: "H",
    NumberType.I16: "h",
    NumberType.U24: "3s",
    NumberType.I24: "3s",
    NumberType.U32: "I",
    NumberType.I32: "i",
    NumberType.U64: "Q",
    NumberType.I64: "q",
}
BOOLEAN: Final = frozenset(Metric) - frozenset(UNITS)
"""The metrics that are true or false: these have no unit."""


class Verdict(Enum):
    ABSURD = "absurd"
    """A value out of its bounds, or fields that contradict each other: told by name, and nothing is read."""


ABSURD: Final = Verdict.ABSURD
Outcome = Measurement | Literal[Verdict.ABSURD] | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cell:
    """One number in the bytes; several fields may be bits of one cell."""

    at: int
    type: NumberType
    order: Order

    @property
    def end(self) -> int:
        return self.at + self.type.size


@dataclass(frozen=True, slots=True)
class Run:
    """Cells of one byte order that follow each other without overlap: one struct read."""

    order: Order
    cells: tuple[Cell, ...]

    def struct(self) -> struct.Struct:
        layout, end = "<" if self.order == "little" else ">", 0
        for cell in self.cells:
            layout += f"{cell.at - end}x{FORMATS[cell.type]}"
            end = cell.end
        return struct.Struct(layout)


class Cells:
    """Every cell of a payload. `read` gives their numbers, `index` says which one is where in them."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        runs = _runs(cells)
        ordered = [cell for run in runs for cell in run.cells]
        self.index = {cell: number for number, cell in enumerate(ordered)}
        self.least = max((cell.end for cell in ordered), default=0)
        self.read = _reader([run.struct() for run in runs])


def _runs(cells: Iterable[Cell]) -> list[Run]:
    """As few runs as the overlaps allow: each cell joins the first run of its order that ends before it."""
    runs: list[Run] = []
    for cell in sorted(set(cells), key=lambda cell: (cell.at, cell.end, cell.type.value, cell.order)):
        for number, run in enumerate(runs):
            if run.cells[-1].end <= cell.at and (run.order == cell.order or cell.type.size == 1):
                runs[number] = Run(run.order, (*run.cells, cell))
                break
        else:
            runs.append(Run(cell.order, (cell,)))
    return runs


def _reader(structs: list[struct.Struct]) -> Callable[[bytes], tuple[Any, ...]]:
    if len(structs) == 1:
        return structs[0].unpack_from
    reads = [each.unpack_from for each in structs]
    return lambda payload: tuple(number for read in reads for number in read(payload))


def cell_of(field: FieldShape, order: Order) -> Cell:
    """Where `field` stands; a single byte has no order, so that all bits of one byte share its cell."""
    return Cell(field.at, field.type, "little" if field.type.size == 1 else field.order or order)


def raw_of(field: FieldShape, order: Order) -> Callable[[Any], int]:
    """From what struct read to the field's own number, before scale and offset."""
    if field.bit is not None:
        return _cut(field.bit, field.bit, _whole(field, order))
    if field.bits is not None:
        return _cut(*field.bits, _whole(field, order))
    return _whole(field, order)


def _whole(field: FieldShape, order: Order) -> Callable[[Any], int]:
    if field.type.size != 3:
        return int
    way, signed = field.order or order, field.type.signed
    return lambda octets: int.from_bytes(octets, way, signed=signed)


def _cut(low: int, high: int, whole: Callable[[Any], int]) -> Callable[[Any], int]:
    mask = (1 << high - low + 1) - 1
    return lambda number: whole(number) >> low & mask


def value_of(field: FieldShape) -> Callable[[int], float | int | bool]:
    """From the field's number to its value, rounded to the digits that scale and offset have."""
    if field.bit is not None:
        return bool
    scale, offset = field.scale, field.offset
    if scale == int(scale) and offset == int(offset):
        by, plus = int(scale), int(offset)
        return lambda raw: raw * by + plus
    places = max(_places(scale), _places(offset))
    return lambda raw: round(raw * scale + offset, places)


def _places(number: float) -> int:
    exponent = Decimal(str(number)).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def outcome_of(field: FieldShape, metric: Metric, order: Order) -> Callable[[Any], Outcome]:
    """From what struct read to the measurement: None where the device says it has none, ABSURD out of bounds."""
    raw_from, value_from, absent = raw_of(field, order), value_of(field), frozenset(field.absent)
    low = field.min if field.min is not None else float("-inf")
    high = field.max if field.max is not None else float("inf")

    def outcome(number: Any) -> Outcome:
        raw = raw_from(number)
        if raw in absent:
            return None
        value = value_from(raw)
        return Measurement(metric, value) if low <= value <= high else ABSURD

    return tabled(outcome, field.type)


def tabled(step: Callable[[Any], T], type_: NumberType) -> Callable[[Any], T]:
    """The same step as a table of all 256 results, where a cell is a single byte; measurements are frozen."""
    if type_.size > 1:
        return step
    numbers = [*range(128), *range(-128, 0)] if type_.signed else range(256)
    return tuple(step(number) for number in numbers).__getitem__


@dataclass(frozen=True, slots=True)
class Access:
    """Where a field's cell is among the numbers read, and what it is."""

    index: int
    raw: Callable[[Any], int]
    field: FieldShape

    def wanted(self, values: Collection[int | str]) -> frozenset[int]:
        """Values given as numbers or by the field's names for them, as numbers."""
        named = [number for number, name in self.field.values.items() if name in values]
        return frozenset(named).union(value for value in values if isinstance(value, int))

    def holds(self, values: Collection[int | str]) -> Callable[[Any], bool]:
        """Whether the cell says one of `values`."""
        wanted, raw = self.wanted(values), self.raw
        return tabled(lambda number: raw(number) in wanted, self.field.type)
