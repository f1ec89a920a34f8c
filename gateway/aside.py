"""Rows that a lane has given up: kept in its file to be seen, and offered again when somebody says so."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from gateway.model import Change, Draft, Drop, Put
from gateway.refusals import Refused
from gateway.store import Row

SPACE = "aside"
MOST = 100
"""Rows kept; beyond them the oldest are dropped: their gap has been told."""


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
    """`gap` makes the message that stands for a row, `kept` are the records of the lane's file."""

    def __init__(self, gap: Callable[[int], Draft], kept: Mapping[str, bytes], wall_ms: Callable[[], int]) -> None:
        self.gap = gap
        self._wall_ms = wall_ms
        self._rows = {each.row.seq: each for each in read(kept)}

    def __contains__(self, seq: int) -> bool:
        return seq in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, seq: int) -> SetAside | None:
        return self._rows.get(seq)

    def __iter__(self) -> Iterator[SetAside]:
        return iter(list(self._rows.values()))

    def keep(self, refused: Refused) -> list[Change]:
        """Take a row in; what is to be committed for it."""
        row = refused.row
        kept = self._rows[row.seq] = SetAside(row, refused.code, refused.reason, self._wall_ms())
        changes: list[Change] = [Put(SPACE, str(row.seq), msgspec.msgpack.encode(kept))]
        for oldest in list(self._rows)[:-MOST]:
            changes += self.drop(oldest)
        return changes

    def drop(self, seq: int) -> list[Change]:
        return [Drop(SPACE, str(seq))] if self._rows.pop(seq, None) is not None else []
