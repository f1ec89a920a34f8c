"""The rows of a lane that are under way, and whether there is room for another. Pure."""

import msgspec

from gateway.pace import Pace
from gateway.rows import Row

NOWHERE = -(1 << 63) - 1
"""Before every place."""


class _Flight(msgspec.Struct, frozen=True, gc=False):
    row: Row
    since: float


class Flights:
    """Times are of one clock, in seconds."""

    def __init__(self, messages: int, pace: Pace) -> None:
        self._messages = messages
        self._pace = pace
        self._flights: dict[int, _Flight] = {}
        self._bytes = 0
        self._careful = NOWHERE

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, seq: int) -> bool:
        return seq in self._flights

    def begin(self, row: Row, now: float) -> None:
        self._flights[row.seq] = _Flight(row, now)
        self._bytes += row.size

    def answered(self, seq: int, now: float) -> Row | None:
        """The row, which is not under way any more; None where it was not."""
        flight = self._flights.pop(seq, None)
        if flight is None:
            return None
        self._bytes -= flight.row.size
        self._pace.answered(flight.row.size, flight.since, now)
        return flight.row

    def clear(self) -> None:
        self._flights.clear()
        self._bytes = 0

    def alone(self) -> Row | None:
        """The one row that is under way, where it is the only one."""
        (flight, *others) = self._flights.values() or (None,)
        return flight.row if flight is not None and not others else None

    def suspect(self) -> None:
        """The link ended at one of these: from here on each of them, and what was before it, is to fly alone."""
        self._careful = max(self._careful, *self._flights)

    def full(self, row: Row) -> bool:
        """Whether `row` must wait. One row may always fly, however large it is."""
        if not self._flights:
            return False
        if min(row.seq, next(iter(self._flights))) <= self._careful:
            return True
        return len(self._flights) >= self._messages or self._bytes >= self._pace.bytes
