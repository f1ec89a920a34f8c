"""One layout compiled: from a payload to its cells, and from these to what it says."""

from collections.abc import Callable, Sequence
from typing import Any

from drivers.base import BadFrame, Measurement, Occurrence, Reading, Said
from drivers.framing import Refusal
from drivers.profile.cells import Cell, Cells
from drivers.profile.fields import Access, kept, outcome_of, raw_of
from drivers.profile.kinds import ABSENT, ABSURD, MISSING
from drivers.profile.links import Condition
from drivers.profile.model import FieldShape, LayoutShape
from drivers.profile.occurrences import teller
from drivers.profile.streams import Span, chained, link, matched, objects, walked
from drivers.profile.written import Order

CellsOf = Callable[[bytes], Sequence[Any] | None]
"""All cells of a payload; None where it is not filled in this way. BadFrame where it is cut short."""


class Layout:
    """Immutable and pure. `fields` says where each field's cell is; `least` is the least size of such a payload."""

    def __init__(self, shape: LayoutShape, order: Order) -> None:
        self.shape, self.order = shape, order
        placed = {name: cell_of(field, order) for name, field in shape.fields.items() if field.fixed}
        cells = Cells(placed.values())
        loose = [name for name in shape.fields if name not in placed]
        index = {name: cells.index[cell] for name, cell in placed.items()}
        index |= {name: len(cells) + number for number, name in enumerate(loose)}
        self.fields = {name: Access(index[name], raw_of(field, order), field) for name, field in shape.fields.items()}
        self.least = max(cells.least, shape.least or 0)
        self._ends = {name: cell.end for name, cell in placed.items()}
        self._chain = chained({name: self._link(name) for name in loose if _in_chain(shape.fields[name])})
        self.cells: CellsOf = self._cells_of(cells, len(loose))
        self.said = _sayer(self)
        """From the cells to what they say."""

    @property
    def choosy(self) -> bool:
        """Whether there are payloads that are not filled in this way."""
        shape = self.shape
        return shape.when is not None or shape.size is not None or shape.pattern is not None

    def spans(self, payload: bytes, cells: Sequence[Any]) -> dict[str, Span]:
        """Where each field stood that has a place of its own in `payload`."""
        fixed = {name: (end - (self.shape.fields[name].width or 0), end) for name, end in self._ends.items()}
        return fixed | self._chain(payload, list(cells))

    def condition(self, when: Condition) -> Callable[[Sequence[Any]], bool]:
        access = self.fields[when.field]
        holds, index = access.holds(when.equals), access.index
        return lambda cells: holds(cells[index])

    def _link(self, name: str) -> Any:
        access = self.fields[name]
        when = access.field.when
        return link(access.index, access.field, self.order, self._ends, self.condition(when) if when else None)

    def _cells_of(self, fixed: Cells, loose: int) -> CellsOf:
        """The fast way for payloads in which everything stands at its place, and the general one."""
        fits, least = self._fits(), self.least

        def straight(payload: bytes) -> Sequence[Any]:
            if len(payload) < least:
                raise BadFrame(Refusal.TOO_SHORT.value, payload)
            return fixed.read(payload)

        if not loose and fits is None:
            return straight
        fill = self._fill()

        def general(payload: bytes) -> Sequence[Any] | None:
            if fits is not None and not fits(payload):
                return None
            cells = [*straight(payload), *[MISSING] * loose]
            return cells if fill(payload, cells) else None

        return general

    def _fits(self) -> Callable[[bytes], bool] | None:
        """What can be said before the payload is read: its size, and a condition on a field at a fixed place."""
        shape, size = self.shape, self.shape.size
        when = shape.when if shape.when and shape.fields[shape.when.field].fixed else None
        if when is None:
            return None if size is None else lambda payload: len(payload) == size
        field = shape.fields[when.field]
        cell = Cells([cell_of(field, self.order)])
        holds = self.fields[when.field].holds(when.equals)
        end, read = cell.least, cell.read
        return lambda payload: (
            (size is None or len(payload) == size) and len(payload) >= end and holds(read(payload)[0])
        )

    def _fill(self) -> Callable[[bytes, list[Any]], bool]:
        """Fills the cells that have no fixed place; false where the payload is not filled in this way."""
        shape, fields = self.shape, self.fields
        groups = {field.group: fields[name].index for name, field in shape.fields.items() if field.group}
        paths = {field.path: fields[name].index for name, field in shape.fields.items() if field.path}
        match = matched(shape.pattern, groups) if shape.pattern is not None else None
        walk = walked(paths) if paths else None
        stream = None
        if shape.objects is not None:
            inside = [(fields[name].index, field) for name, field in shape.fields.items() if field.object is not None]
            stream = objects(shape.objects, inside, self.order)
        chain = self._chain
        when = shape.when
        holds = self.condition(when) if when is not None and not shape.fields[when.field].fixed else None

        def fill(payload: bytes, cells: list[Any]) -> bool:
            if (match is not None and not match(payload, cells)) or (walk is not None and not walk(payload, cells)):
                return False
            chain(payload, cells)
            if stream is not None:
                stream(payload, cells)
            return holds is None or holds(cells)

        return fill


def cell_of(field: FieldShape, order: Order) -> Cell:
    """Where a field stands; a single byte has no order, so that all bits of one byte share its cell."""
    size = field.width or 0
    return Cell(field.at or 0, field.kind, size, "little" if size == 1 else field.order or order)


def _in_chain(field: FieldShape) -> bool:
    return field.object is None and field.group is None and field.path is None


def _sayer(layout: Layout) -> Callable[[Sequence[Any]], Said]:
    shape, fields = layout.shape, layout.fields
    measures = [
        (fields[name].index, kept(outcome_of(field, field.metric, layout.order), field), name)
        for name, field in shape.fields.items()
        if field.metric is not None
    ]
    tellers = [(teller(each, fields), each.field) for each in shape.occurrences]

    def said(cells: Sequence[Any]) -> Said:
        readings: list[Reading] = []
        absurd: tuple[str, ...] = ()
        absent: tuple[str, ...] = ()
        for index, outcome, name in measures:
            measured = outcome(cells[index])
            if type(measured) is Measurement:
                readings.append(measured)
            elif measured is ABSURD:
                absurd += (name,)
            elif measured is ABSENT:
                absent += (name,)
        for tell, name in tellers:
            told = tell(cells)
            if type(told) is Occurrence:
                readings.append(told)
            elif told is ABSURD:
                absurd += (name,)
        return Said(tuple(readings), absurd, absent)

    return said
