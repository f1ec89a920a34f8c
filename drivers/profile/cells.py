"""Fields at fixed places: all of them in as few struct reads as their overlaps allow."""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from drivers.profile.kinds import Kind, layout_of
from drivers.profile.written import Order


@dataclass(frozen=True, slots=True)
class Cell:
    """One value in the bytes; several fields may be bits of one cell."""

    at: int
    kind: Kind
    size: int
    order: Order

    @property
    def end(self) -> int:
        return self.at + self.size


@dataclass(frozen=True, slots=True)
class Run:
    """Cells of one byte order that follow each other without overlap: one struct read."""

    order: Order
    cells: tuple[Cell, ...]

    def struct(self) -> struct.Struct:
        layout, end = "<" if self.order == "little" else ">", 0
        for cell in self.cells:
            layout += f"{cell.at - end}x{layout_of(cell.kind, cell.size)}"
            end = cell.end
        return struct.Struct(layout)


class Cells:
    """Every cell of a payload. `read` gives their values, `index` says which one is where in them."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        runs = _runs(cells)
        ordered = [cell for run in runs for cell in run.cells]
        self.index = {cell: number for number, cell in enumerate(ordered)}
        self.least = max((cell.end for cell in ordered), default=0)
        self.read = _reader([run.struct() for run in runs])

    def __len__(self) -> int:
        return len(self.index)


def _runs(cells: Iterable[Cell]) -> list[Run]:
    """As few runs as the overlaps allow: each cell joins the first run of its order that ends before it."""
    runs: list[Run] = []
    for cell in sorted(set(cells), key=lambda cell: (cell.at, cell.end, cell.kind.value, cell.order)):
        for number, run in enumerate(runs):
            if run.cells[-1].end <= cell.at and (run.order == cell.order or cell.size == 1):
                runs[number] = Run(run.order, (*run.cells, cell))
                break
        else:
            runs.append(Run(cell.order, (cell,)))
    return runs


def _reader(structs: list[struct.Struct]) -> Callable[[bytes], tuple[Any, ...]]:
    if len(structs) == 1:
        return structs[0].unpack_from
    reads = [each.unpack_from for each in structs]
    return lambda payload: tuple(value for read in reads for value in read(payload))
