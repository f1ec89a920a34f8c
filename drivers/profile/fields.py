"""Fields compiled: one step per field from what stands in the payload to a measurement, or to why there is none."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from drivers.base import LIMIT, UNITS, Measurement, Metric
from drivers.profile.kinds import ABSENT, ABSURD, Raw, Unread, Verdict, raw_from
from drivers.profile.model import FieldShape
from drivers.profile.written import Order

BOOLEAN: Final = frozenset(Metric) - frozenset(UNITS)
"""The metrics that are true or false: these have no unit."""
Outcome = Measurement | Unread
T = TypeVar("T")


def raw_of(field: FieldShape, order: Order) -> Raw:
    """From a field's cell to its own number or text, before scale and offset."""
    kind = field.kind
    whole = raw_from(kind, field.order or order, UUID(field.base).int if field.base else 0)
    if field.bit is not None or field.bits is not None:
        return _cut(*(field.bits or (field.bit, field.bit)), whole)  # type: ignore[arg-type]  # one of them is given
    return whole


def _cut(low: int, high: int, whole: Callable[[Any], int]) -> Raw:
    mask = (1 << high - low + 1) - 1
    return lambda number: whole(number) >> low & mask


def value_of(field: FieldShape) -> Callable[[Any], float | int | bool]:
    """From the field's number to its value, rounded to the digits that scale and offset have."""
    if field.metric in BOOLEAN:
        wanted = frozenset(map(field.own, field.true_when)) if field.true_when is not None else None
        return bool if wanted is None else lambda raw: raw in wanted
    scale, offset = field.scale, field.offset
    if scale == int(scale) and offset == int(offset):
        by, plus = int(scale), int(offset)
        return (lambda raw: raw * by + plus) if field.kind.whole else lambda raw: _short(raw * by + plus)
    places = max(_places(scale), _places(offset))
    if field.kind.whole:
        return lambda raw: round(raw * scale + offset, places)
    return lambda raw: round(float(raw) * scale + offset, places)


def _short(value: Any) -> float | int:
    """A number as JSON can hold it, whole where it is."""
    return int(value) if value == int(value) else float(value)


def _places(number: float) -> int:
    exponent = Decimal(str(number)).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def outcome_of(field: FieldShape, metric: Metric, order: Order) -> Callable[[Any], Outcome]:
    """From a field's cell to the measurement: ABSENT where the device says it has none, ABSURD out of bounds."""
    raw_from_cell, value_from = raw_of(field, order), value_of(field)
    absent = absent_in(field)
    low = field.min if field.min is not None else -LIMIT
    high = field.max if field.max is not None else LIMIT

    def number(cell: Any) -> Outcome:
        raw = raw_from_cell(cell)
        if raw in absent:
            return ABSENT
        value = value_from(raw)
        return Measurement(metric, value) if low <= value <= high else ABSURD

    def any_value(cell: Any) -> Outcome:
        raw = raw_from_cell(cell)
        return raw if isinstance(raw, Verdict) else number(cell)

    return tabled(number, field) if field.kind.whole else any_value


def absent_in(field: FieldShape) -> frozenset[int | str]:
    """What the field holds when there is no value."""
    return frozenset(map(field.own, field.absent or ()))


def tabled(step: Callable[[Any], T], field: FieldShape) -> Callable[[Any], T]:
    """The same step as a table of all 256 results, where a cell is a single byte that is always there."""
    kind = field.kind
    if not field.fixed or not kind.whole or kind.width != 1:
        return step
    numbers = [*range(128), *range(-128, 0)] if kind.signed else range(256)
    return tuple(step(number) for number in numbers).__getitem__


@dataclass(frozen=True, slots=True)
class Access:
    """Where a field's cell is among those read, and what it is."""

    index: int
    raw: Raw
    field: FieldShape

    def wanted(self, values: Collection[int | str]) -> frozenset[int | str]:
        """Values given as they are or by the field's names for them."""
        field = self.field
        named = [own for own, name in field.named.items() if name in values]
        given = values if field.kind.textual else [value for value in values if isinstance(value, int)]
        return frozenset(named).union(map(field.own, given))

    def holds(self, values: Collection[int | str]) -> Callable[[Any], bool]:
        """Whether the cell says one of `values`; never where it is not there."""
        wanted, raw = self.wanted(values), self.raw
        return tabled(lambda cell: not isinstance(cell, Verdict) and raw(cell) in wanted, self.field)


def kept(step: Callable[[Any], T], field: FieldShape) -> Callable[[Any], T | Unread]:
    """The step for a field that may not be there; what is missing or absent passes as it is."""
    if field.fixed:
        return step
    return lambda cell: cell if isinstance(cell, Verdict) else step(cell)
