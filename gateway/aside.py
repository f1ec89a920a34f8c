"""Rows that a lane has given up: kept in its file to be seen, and offered again when somebody says so."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from gateway.model import Change, Draft, Drop, Put
from gateway.refusals import Refused
from gateway.rows import Row

SPACE = "aside"
MOST = 100
"""Rows kept; beyond them the oldest are dropped: their gap has been told."""
FIRST = -(1 << 63)
"""The place of the oldest that an earlier run has set aside."""


class SetAside(msgspec.Struct, frozen=True):
    row: Row
    code: int
    reason: str
    at_ms: int


def read(kept: Mapping[str, bytes]) -> list[SetAside]:
    """The records of a lane's file, oldest row first."""
    found = [msgspec.msgpack.decode(blob, type=SetAside) for blob in kept.values()]
    return sorted(found, key=lambda each: each.row.seq)


class Aside:
    """`gap` makes the message that stands for a row, `kept` are the records of the lane's file.

    Rows are known by their ids: their places may have been given anew since, so those of an earlier run get others,
    before every place of a lane.
    """

    def __init__(self, gap: Callable[[Row], Draft], kept: Mapping[str, bytes], wall_ms: Callable[[], int]) -> None:
        self.gap = gap
        self._wall_ms = wall_ms
        found = [replace(each, row=replace(each.row, seq=place)) for place, each in enumerate(read(kept), FIRST)]
        self._rows = {each.row.id: each for each in found}

    def __contains__(self, row: Row) -> bool:
        return row.id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, row: Row) -> SetAside | None:
        return self._rows.get(row.id)

    def __iter__(self) -> Iterator[SetAside]:
        return iter(list(self._rows.values()))

    def keep(self, refused: Refused) -> list[Change]:
        """Take a row in; what is to be committed for it."""
        row = refused.row
        kept = self._rows[row.id] = SetAside(row, refused.code, refused.reason, self._wall_ms())
        changes: list[Change] = [Put(SPACE, row.id, msgspec.msgpack.encode(kept))]
        for oldest in list(self._rows)[:-MOST]:
            changes += self._drop(oldest)
        return changes

    def drop(self, row: Row) -> list[Change]:
        return self._drop(row.id)

    def _drop(self, ident: str) -> list[Change]:
        return [Drop(SPACE, ident)] if self._rows.pop(ident, None) is not None else []
