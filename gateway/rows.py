"""A lane's rows, how they are numbered, and how each is told from what a dying disk has made of it."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgspec

from gateway.damage import record_sum, row_sum
from gateway.errors import StoreDamaged

OVERHEAD = 64
THINNED = "thinned"
"""The subject of rows whose readings are what was left of more."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message with its number, exactly as it is or will be published.

    `seq` is its place in the lane. `id`, its epoch and number, is what the message calls itself; a row that came from
    another file keeps it, so the two go apart.
    """

    seq: int
    id: str
    subject: str | None
    made_ms: int
    topic: str
    payload: bytes

    @property
    def epoch(self) -> str:
        return self.id.rpartition("-")[0]

    @property
    def number(self) -> int:
        return int(self.id.rpartition("-")[2])

    @property
    def spare(self) -> bool:
        """Whether it may be given up."""
        return self.subject is None or self.subject == THINNED

    @property
    def size(self) -> int:
        return len(self.topic) + len(self.payload) + OVERHEAD


class Standing(msgspec.Struct, frozen=True):
    """Where a file stands: the next number of its epoch, the next place, what waits, and whether it was closed."""

    epoch: str
    next: int = 1
    place: int = 1
    count: int = 0
    bytes: int = 0
    clean: bool = False


class Tally(msgspec.Struct, frozen=True):
    """How much waits in a file."""

    count: int
    bytes: int
    oldest_ms: int | None


def runs(numbers: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Numbers as runs without a hole, each from first to last: rows mostly leave in the order they came."""
    ordered = sorted(numbers)
    holes = [(before, after) for before, after in pairwise(ordered) if after > before + 1]
    firsts = ordered[:1] + [after for _, after in holes]
    lasts = [before for before, _ in holes] + ordered[-1:]
    return zip(firsts, lasts, strict=True)


def checked(fields: tuple[Any, ...]) -> Row:
    """A row as it was written. StoreDamaged where it is not."""
    row = Row(*fields[:-1])
    if not isinstance(row.payload, bytes) or row_sum(*fields[1:-1]) != fields[-1]:
        raise StoreDamaged(f"row {row.seq} is not as it was written")
    return row


def proven(space: str, key: str, value: bytes, sum_: int) -> bytes:
    """A record's value as it was written. StoreDamaged where it is not."""
    if not isinstance(value, bytes) or record_sum(space, key, value) != sum_:
        raise StoreDamaged(f"record {space}/{key} is not as it was written")
    return value
